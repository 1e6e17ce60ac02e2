"""When a window is complete, and which tweets come too late for it: pure functions.

A partition's watermark is the latest time of posting that was read from it, of a run. Whether a
tweet is late is decided by what stands before it in its partition alone. So the same topic gives
the same windows, however it was read, and however often the reader was killed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from schemas.setting_views import WatchLimits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Pace(Struct, frozen=True):
    """The windows of a run: their length, and for how long after their end tweets are in time."""

    window: timedelta
    lateness: timedelta

    def start_of(self, moment: datetime) -> datetime:
        """Return the start of the window that holds a moment, in UTC."""
        return moment.astimezone(UTC) - (moment - _EPOCH) % self.window

    def is_late(
        self, start: datetime, watermark: datetime | None, closed_until: datetime | None
    ) -> bool:
        """Tell whether what comes now for the window that starts then comes too late.

        `watermark` is of the partition that it came from, before it came.
        """
        end = start + self.window
        if closed_until is not None and end <= closed_until:
            return True
        return watermark is not None and end + self.lateness <= watermark

    def complete_until(self, watermarks: Iterable[datetime]) -> datetime | None:
        """Return the end of the latest window that is complete, where these hold for a run.

        They are of all partitions of the topic, or of those that nothing more is waited for in.
        """
        lowest = min(watermarks, default=None)
        return None if lowest is None else self.start_of(lowest - self.lateness)


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two moments, of which one or both may be unknown."""
    return max((moment for moment in (one, other) if moment is not None), default=None)


def pace_of(limits: WatchLimits) -> Pace:
    """Return the pace of a run that begins now."""
    window = timedelta(minutes=limits.window_minutes)
    return Pace(window, limits.late_windows * window)
