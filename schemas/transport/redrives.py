"""A redriven message remembers its dead letter, in a header that every stage passes on.

Without it a message that fails again would be a new dead letter, at a new position, for ever.
Anybody who may write to the topics may write such a header. So a link is bounded, and signed with
the installation's secret, which PostgreSQL holds: what redrives signs, the sink verifies, and a
link that nobody vouches for is none.
"""

import hashlib
import hmac
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.codec import Headers
from schemas.events import RunName

REDRIVE_HEADER: Final = "murmur.redrive"
MAX_LINK_BYTES: Final = 2_048
"""A topic's name of 249 characters and a run's of 63, however they are escaped, with room."""


class Redrive(Struct, frozen=True, kw_only=True):
    """Which dead letter a message was, by its first source position, and how often it came back."""

    source: Annotated[str, Meta(max_length=255)]
    partition: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    offset: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    timestamp_ms: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    run: RunName | None
    count: Annotated[int, Meta(ge=1, le=1_000)]
    signature: Annotated[str, Meta(max_length=64)] = ""


_decoder = msgspec.json.Decoder(Redrive)


def redrive_of(headers: Headers) -> Redrive | None:
    """Return what a message's headers say of a redrive; None for none, and for a malformed one."""
    for name, value in headers:
        if name == REDRIVE_HEADER:
            if len(value) > MAX_LINK_BYTES:
                return None
            try:
                return _decoder.decode(value)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return None
    return None


def passed_on(headers: Headers) -> Headers:
    """Return the headers that a stage hands on with what it makes of a message."""
    redrive = redrive_of(headers)
    return [] if redrive is None else [(REDRIVE_HEADER, msgspec.json.encode(redrive))]


def redriven(headers: Headers, redrive: Redrive) -> Headers:
    """Return a message's own headers as they were, and which dead letter it is."""
    own = [(name, value) for name, value in headers if name != REDRIVE_HEADER]
    return [*own, (REDRIVE_HEADER, msgspec.json.encode(redrive))]


def signed(redrive: Redrive, secret: bytes) -> Redrive:
    """Return a link that `is_vouched_for` with the same secret."""
    return msgspec.structs.replace(redrive, signature=_signature(redrive, secret))


def is_vouched_for(redrive: Redrive, secret: bytes) -> bool:
    """Tell whether a link is as somebody with the secret made it, with this very count."""
    return hmac.compare_digest(redrive.signature.encode(), _signature(redrive, secret).encode())


def _signature(redrive: Redrive, secret: bytes) -> str:
    unsigned = msgspec.structs.replace(redrive, signature="")
    return hmac.new(secret, msgspec.json.encode(unsigned), hashlib.sha256).hexdigest()
