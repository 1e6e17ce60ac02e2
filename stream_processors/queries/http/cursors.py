"""Cursors: where a page of tweets ended. Callers hand them back as they are."""

import base64
import binascii
from datetime import date
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from model_server.http.problems import Refused

_MOST_CHARS: Final = 600


class Cursor(Struct, frozen=True, array_like=True):
    """The last tweet of a page: the next one begins after it, whatever came or went meanwhile."""

    run: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^\0]*$")]
    root_id: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^\0]*$")]
    day: date


_decoder: Final = msgspec.json.Decoder(Cursor)


def written(cursor: Cursor) -> str:
    """Return a cursor as callers get it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read(text: str) -> Cursor:
    """Return the cursor that was handed back; raise `Refused` where it is none of ours."""
    try:
        if len(text) > _MOST_CHARS:
            raise ValueError
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return _decoder.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, UnicodeError, binascii.Error, msgspec.MsgspecError):
        raise Refused(
            422,
            "cursor",
            "The cursor is not valid.",
            "Send the one that stood in `next`, or none.",
        ) from None
