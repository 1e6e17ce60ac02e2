"""Which times had no connection: pure bookkeeping of what the reader lives through."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

DELIVERY_DELAY: Final = timedelta(seconds=10)
"""X delivers a post some seconds late: what was posted so shortly before the last line may be
missing too, so a gap begins that much earlier."""


@dataclass(frozen=True)
class Gap:
    """A time without a connection; `to_at` is None while it is ongoing. `from_at` names it."""

    from_at: datetime
    to_at: datetime | None
    reason: str


@dataclass(frozen=True)
class Coverage:
    """What has been received without a gap, and the gap that is open, if one is.

    Every change of a gap is returned, to be stored; one that is stored again changes nothing.
    """

    covered_until: datetime | None
    gap: Gap | None = None

    def ended(self, reason: str, at: datetime) -> tuple["Coverage", Gap | None]:
        """A connection, or an attempt at one, ended; an open gap keeps its first reason.

        A first start has nothing to miss before it: without a covered time no gap opens.
        """
        if self.gap is not None or self.covered_until is None:
            return self, None
        begins = min(self.covered_until, at) - DELIVERY_DELAY
        gap = Gap(begins, None, reason)
        return replace(self, gap=gap), gap

    def connected(self, at: datetime) -> tuple["Coverage", Gap | None]:
        """X accepted a connection: what is posted from now on will be delivered."""
        if self.gap is None:
            return Coverage(at), None
        closed = replace(self.gap, to_at=max(at, self.gap.from_at))
        return Coverage(at), closed

    def received(self, at: datetime) -> "Coverage":
        """A line came, a heartbeat also: all before it is there."""
        return replace(self, covered_until=at)


def at_start(
    covered_until: datetime | None, reason: str, open_gap: Gap | None, now: datetime
) -> tuple[Coverage, list[Gap]]:
    """Return where a new process stands after one that ended for `reason`, and gaps to store.

    What the last process had received and not published is missing too. So the gap that it left
    open is closed, and a new one begins where it had published everything, if that is earlier. At
    the very first start a gap begins only if X cannot be connected to: from that start on.
    """
    if open_gap is not None:
        begins = open_gap.from_at
        if covered_until is None or covered_until - DELIVERY_DELAY >= begins:
            return Coverage(covered_until or begins, open_gap), []
        coverage, gap = Coverage(covered_until).ended(reason, now)
        return coverage, [replace(open_gap, to_at=max(now, begins)), *([gap] if gap else [])]
    if covered_until is None:
        return Coverage(now), []
    coverage, gap = Coverage(covered_until).ended(reason, now)
    return coverage, [] if gap is None else [gap]
