"""Moments in the query of a call, as the commands read them."""

from datetime import UTC, datetime

from schemas.failures import Failure
from schemas.time_option import parse_moment


class InvalidSpan(Failure):
    """A span of time without a beginning or an end, or with an end before its beginning."""


def utc_time(text: str | None) -> datetime | None:
    """Return the moment of a parameter; raise `InvalidMoment`."""
    return None if text is None else parse_moment(text, datetime.now(UTC))


def require_order(start: datetime | None, end: datetime | None) -> None:
    """Raise `InvalidSpan` where a span ends before it begins."""
    if start is not None and end is not None and start >= end:
        raise InvalidSpan("the end of a span must be later than its beginning")
