"""A ticket says that a tweet was drawn for somebody, and why: without one nothing is an audit.

Audits estimate only because nobody chose them. Whoever sends a label could choose; so the queue
signs what it drew, and for whom. Pure.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from schemas.people_labels import LabelOrigin

VALID_FOR: Final = timedelta(days=7)


class Ticket(Struct, frozen=True, kw_only=True, array_like=True):
    """A version of a tweet that was drawn for a labeller; `second` where others had audited it."""

    run: str
    root_id: str
    version: int
    labeller: str
    origin: LabelOrigin
    second: bool
    drawn_at: datetime


class WrongTicket(Exception):
    """It was signed by nobody here, or is too old."""


_encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Ticket)


def signed(ticket: Ticket, secret: bytes) -> str:
    """Return a ticket as it is handed out."""
    content = _encode(ticket)
    return base64.urlsafe_b64encode(_signature(content, secret) + content).decode().rstrip("=")


def checked(handed_in: str, secret: bytes, now: datetime) -> Ticket:
    """Return the ticket; raise `WrongTicket`."""
    try:
        padded = handed_in.encode("ascii") + b"=" * (-len(handed_in) % 4)
        both = base64.urlsafe_b64decode(padded)
    except ValueError:
        raise WrongTicket from None
    signature, content = both[:32], both[32:]
    if not hmac.compare_digest(signature, _signature(content, secret)):
        raise WrongTicket
    ticket = _decoder.decode(content)
    if not now - VALID_FOR <= ticket.drawn_at <= now + timedelta(minutes=5):
        raise WrongTicket
    return ticket


def _signature(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"murmur-ticket:" + content, hashlib.sha256)
