"""Moments as people say them."""

from datetime import UTC, datetime

from schemas.failures import Failure
from stream_processors.aggregates.time_windows import InvalidWindow, parse_window


class InvalidMoment(Failure):
    """A text that names no moment."""


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the moment of a text: a date, a date and time (UTC unless it says), or `2h` ago."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        length = parse_window(text).length
    except InvalidWindow:
        length = None
    if length is None:
        raise InvalidMoment(
            f"{text!r} is not a valid time: use 2026-11-21, 2026-11-21T10:30 or 2h (ago)"
        )
    return now - length
