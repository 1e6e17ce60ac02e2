"""A key: `id_secret`. The id may be shown, the secret is known to its owner alone."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Final, NamedTuple

from msgspec import Struct

from deploy.web.access.scopes import Scope

_PRESENTED: Final = re.compile(r"([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class NewKey(NamedTuple):
    """A key as it is handed to its owner, once: `bearer` is the whole of it."""

    key_id: str
    bearer: str
    secret_sha256: str


class ApiKey(Struct, frozen=True, kw_only=True):
    """What is stored of a key, without the hash. `last_used_at` is the hour."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def make_key() -> NewKey:
    """Return a key whose secret has 256 random bits, so that one SHA-256 of it is enough."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return NewKey(key_id, f"{key_id}_{secret}", sha256_of(secret))


def sha256_of(secret: str) -> str:
    """Return the hash that is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def split_key(presented: str) -> tuple[str, str] | None:
    """Return the id and the secret of what was presented; None where it is no key."""
    found = _PRESENTED.fullmatch(presented)
    return (found[1], found[2]) if found else None
