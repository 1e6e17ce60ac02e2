"""By how much the times of a run are moved: once decided, the same for every replay of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from producers.formats.archive_format import parse_record
from producers.replay.plan import ArchiveFile
from producers.replay.positions import FilePosition
from producers.replay.record_reader import RecordReader
from producers.replay.time_range import UNMOVED, Times, TimeSpan
from schemas.events import LIVE, TweetPosted
from schemas.failures import Failure


def shift_of_run(
    *,
    run: str,
    asked: bool,
    stored: timedelta,
    begun: bool,
    measure: Callable[[], timedelta],
) -> timedelta:
    """Return the shift of a run's replay; `begun` tells whether files were published before.

    A run that was begun with a shift keeps it, asked for or not: one of its tweets must not have
    two days. Only `live` holds both kinds, since its own tweets are never moved. Raises `Failure`
    where a run was begun without one.
    """
    if stored and (asked or run != LIVE):
        return stored
    if not asked:
        return UNMOVED
    if begun and run != LIVE:
        raise Failure(f"the run {run} was started without --shift-to-now: choose another --run")
    return measure()


def shift_to(
    now: datetime,
    files: Sequence[ArchiveFile],
    window: Times,
    *,
    first_only: bool,
) -> timedelta:
    """Return what moves the first tweet, or the newest one, to `now`.

    The first in reading order suits a replay at its own speed, whose clock the tweets then keep.
    At any other speed the newest counts, so that no tweet lies in the future; all files are read
    for it. Raises `Failure` where there is no tweet, or where a file cannot be read twice.
    """
    span = TimeSpan()
    for file in files:
        if file.stream is not None:
            raise Failure(
                "--shift-to-now reads the archive twice, which standard input cannot offer"
            )
        _measure(file, window, span, now, first_only=first_only)
        if first_only and span.first is not None:
            return now - span.first
    if span.first is None:
        raise Failure("there is no tweet with a time that --shift-to-now could move")
    return now - span.newest


def _measure(
    file: ArchiveFile, window: Times, span: TimeSpan, now: datetime, *, first_only: bool
) -> None:
    with file.path.open("rb") as opened:
        reading = RecordReader(file, opened, run="none", run_started_at=now.astimezone(UTC))
        for placed in reading.records(FilePosition()):
            if placed is None:
                continue
            parsed = parse_record(placed.reader, placed.record, placed.origin, now)
            for event in parsed.events:
                if isinstance(event, TweetPosted) and window.holds(event):
                    span.add(event)
            if first_only and span.first is not None:
                return
