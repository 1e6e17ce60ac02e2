"""Signing a message as Standard Webhooks say, so that its receiver knows who sent it.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
What is signed is `id.timestamp.body`, by HMAC-SHA256 with the shared secret.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from pydantic import SecretStr

from schemas.failures import Failure

_PREFIX: Final = "whsec_"
_LEAST_KEY_BYTES: Final = 24
_MOST_KEY_BYTES: Final = 64


def signing_key(secret: SecretStr) -> bytes:
    """Return the key of a secret: `whsec_` and Base64 of 24 to 64 bytes; or raise `Failure`.

    The failure does not repeat the secret.
    """
    text = secret.get_secret_value().strip()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or not _LEAST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES:
        raise Failure(
            "MURMUR_ALARM_WEBHOOK_SECRET must be whsec_ and Base64 of 24 to 64 random bytes: "
            'echo "whsec_$(openssl rand -base64 32)" makes one'
        )
    return key


def signed_headers(message_id: str, timestamp_s: int, body: bytes, key: bytes) -> dict[str, str]:
    """Return the headers of a message: id, seconds since 1970, and signature.

    The id is the same each time that a message is sent. It holds no dot.
    """
    signed = b".".join((message_id.encode(), str(timestamp_s).encode(), body))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{signature}",
    }
