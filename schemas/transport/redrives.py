"""A redriven message remembers its dead letter, in a header that every stage passes on.

Without it a message that fails again would be a new dead letter, at a new position, for ever.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.codec import Headers

REDRIVE_HEADER: Final = "murmur.redrive"


class Redrive(Struct, frozen=True, kw_only=True):
    """Which dead letter a message was, by its first source position, and how often it came back."""

    source: Annotated[str, Meta(max_length=255)]
    partition: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    offset: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    timestamp_ms: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    run: str | None
    count: Annotated[int, Meta(ge=1, le=1_000)]


_decoder = msgspec.json.Decoder(Redrive)


def redrive_of(headers: Headers) -> Redrive | None:
    """Return what a message's headers say of a redrive; None for none, and for a malformed one."""
    for name, value in headers:
        if name == REDRIVE_HEADER:
            try:
                return _decoder.decode(value)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return None
    return None


def passed_on(headers: Headers) -> Headers:
    """Return the headers that a stage hands on with what it makes of a message."""
    return [(name, value) for name, value in headers if name == REDRIVE_HEADER]


def redriven(headers: Headers, redrive: Redrive) -> Headers:
    """Return a message's own headers as they were, and which dead letter it is."""
    own = [(name, value) for name, value in headers if name != REDRIVE_HEADER]
    return [*own, (REDRIVE_HEADER, msgspec.json.encode(redrive))]
