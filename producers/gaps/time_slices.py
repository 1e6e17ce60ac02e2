"""A gap in pieces that a search takes and that fit into memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

REACH: Final = timedelta(days=7) - timedelta(minutes=1)
"""The recent search reaches seven days back; a minute is left for the time between two looks."""

NEWEST: Final = timedelta(seconds=15)
"""X finds a post some ten seconds after it was posted, and refuses to be asked for later ones."""

MARGIN: Final = timedelta(seconds=15)
"""Searched on both sides beyond the gap: what X delivered late. A repeat counts nowhere."""

SLICE: Final = timedelta(minutes=15)


def searchable(
    from_at: datetime, to_at: datetime, refilled_until: datetime | None, now: datetime
) -> tuple[datetime, datetime, bool]:
    """Return from when to when to search, in whole seconds, and whether X reaches all of it.

    Where the end does not lie behind the beginning there is nothing to search (yet).
    """
    wanted = _whole(refilled_until or from_at - MARGIN)
    begins = max(wanted, _whole(now - REACH) + timedelta(seconds=1))
    ends = min(_whole(to_at + MARGIN) + timedelta(seconds=1), _whole(now - NEWEST))
    return begins, ends, begins == wanted


def slices(begins: datetime, ends: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the pieces, oldest first; each ends where the next begins."""
    while begins < ends:
        until = min(begins + SLICE, ends)
        yield begins, until
        begins = until


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
