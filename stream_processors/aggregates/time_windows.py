"""Which stretch of time a window is. Everything here is UTC and whole minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from schemas.events import LIVE
from schemas.failures import Failure
from schemas.time_option import UNITS, parse_length
from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT

ALL: Final = "all"
FROM_TO: Final = "from-to"
Granularity = Literal["minute", "hour", "day"]

MINUTE: Final = timedelta(minutes=1)
_MOST_POINTS: Final = 200
_STEPS: Final = (
    MINUTE,
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=7),
    timedelta(days=30),
    timedelta(days=365),
)
_GRANULARITIES: Final[dict[Granularity, timedelta]] = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": MINUTE,
}
ORIGIN: Final = datetime(2001, 1, 1, tzinfo=UTC)
"""Where the steps of a series are counted from (a Monday), so that points keep their place."""


_LAST: Final = datetime.max.replace(tzinfo=UTC)


class InvalidWindow(Failure):
    """A text that names no window."""


@dataclass(frozen=True)
class Window:
    """A stretch of time with the name it is asked for by.

    It has a length, or a `start` and an `end` of which either may be open; with none it is
    everything.
    """

    name: str
    length: timedelta | None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Bounds:
    """From `start` up to but not at `end`."""

    start: datetime
    end: datetime


def parse_window(text: str) -> Window:
    """Return the window that a text like `30m`, `6h`, `1d`, `2w` or `all` names.

    Equal lengths get one name (`60m` is `1h`). Raises `InvalidWindow`.
    """
    if text == ALL:
        return Window(ALL, None)
    length = parse_length(text)
    if length is None:
        raise InvalidWindow(
            f"{text!r} is not a valid window: use 30m, 1h, 1d, 2w (at most ten years) or all"
        )
    unit = next(unit for unit in ("d", "h", "m") if not length % UNITS[unit])
    return Window(f"{length // UNITS[unit]}{unit}", length)


def between(start: datetime | None, end: datetime | None) -> Window:
    """Return the window from `start` up to but not at `end`, of which one may be open.

    Raises `InvalidWindow` where they are no whole minutes, or in the wrong order.
    """
    start, end = possible(start), possible(end)
    for moment in (start, end):
        if moment is not None and (moment.second or moment.microsecond):
            raise InvalidWindow(
                f"{moment.isoformat()} is not a whole minute: figures are by minute"
            )
    if start is not None and end is not None and start >= end:
        raise InvalidWindow(f"{start:%Y-%m-%dT%H:%M} is not before {end:%Y-%m-%dT%H:%M}")
    return Window(FROM_TO, None, start, end)


def possible(moment: datetime | None) -> datetime | None:
    """Return the nearest moment, in UTC, at which a tweet may have been posted."""
    if moment is None:
        return None
    last = LAST_MOMENT.replace(second=0, microsecond=0)
    return min(max(moment, FIRST_TWEET), last).astimezone(UTC)


def bounds(
    window: Window, run: str, first: datetime | None, newest: datetime | None, now: datetime
) -> Bounds | None:
    """Return a window's bounds, or None for a replay without tweets.

    `first` and `newest` are the minutes of the run's first and last tweet. A window ends with the
    present minute for `live` and with the newest tweet's minute for a replay; that minute is in
    it, so `1h` is sixty minutes of which the last may be unfinished. An open start or end is that
    of everything.
    """
    if window.start is not None or window.end is not None:
        return _from_to(window, bounds(Window(ALL, None), run, first, newest, now))
    end = now.astimezone(UTC).replace(second=0, microsecond=0) if run == LIVE else newest
    if end is None:
        return None
    if window.length is not None:
        return Bounds(_minute_after(end) - window.length, _minute_after(end))
    if first is None or newest is None:
        return Bounds(end, _minute_after(end))
    # A clock may be wrong by up to a day: `all` leaves no tweet out that claims to be of tomorrow.
    return Bounds(min(first, end), _minute_after(max(newest, end)))


def _from_to(window: Window, everything: Bounds | None) -> Bounds | None:
    start = window.start or (everything.start if everything else None)
    end = window.end or (everything.end if everything else None)
    if start is None or end is None:
        return None
    if window.start is None:
        return Bounds(min(start, end - MINUTE), end)
    return Bounds(start, max(end, _minute_after(start)))


def _minute_after(minute: datetime) -> datetime:
    """Return the end of a minute; the last of all times ends with time itself."""
    return minute + MINUTE if minute <= _LAST - MINUTE else _LAST


def series_step(span: timedelta) -> timedelta:
    """Return the step of a chart over `span`: the finest with at most 200 points.

    An hour is drawn by minute, a day by quarter of an hour, a week by hour.
    """
    return next((step for step in _STEPS if span <= step * (_MOST_POINTS - 1)), _STEPS[-1])


def step_starts(span: Bounds, step: timedelta) -> list[datetime]:
    """Return the start of every step that overlaps the bounds."""
    start = ORIGIN + (span.start - ORIGIN) // step * step
    return [start + n * step for n in range(-((start - span.end) // step))]


def coarsest_exact(window: Window, step: timedelta = _STEPS[-1]) -> Granularity:
    """Return the coarsest rollups that add up exactly in a window, and in every step of it.

    A window of a length starts at any minute, so only minutes fit it. An open start or end leaves
    no tweet out, so that any fits.
    """
    if window.length is not None:
        return "minute"
    given = [moment for moment in (window.start, window.end) if moment is not None]
    for granularity, length in _GRANULARITIES.items():
        if step >= length and all(floor(moment, granularity) == moment for moment in given):
            return granularity
    return "minute"


def floor(moment: datetime, granularity: Granularity) -> datetime:
    """Return the start of the rollup that a moment is in."""
    length = _GRANULARITIES[granularity]
    return ORIGIN + (moment - ORIGIN) // length * length
