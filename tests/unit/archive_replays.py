"""What a replay would make of a file, read as it reads it."""

from datetime import UTC, datetime
from pathlib import Path

from producers.archives.inputs import Input
from producers.formats.archive_format import FormatOptions, parse_record
from producers.replay.dry_run import Survey, survey_files
from producers.replay.inspect_files import prepare_files
from producers.replay.plan import ArchiveFile
from producers.replay.positions import FilePosition
from producers.replay.record_reader import RecordReader
from producers.replay.time_range import Times
from schemas.events import RawEvent, TweetPosted

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def prepared(
    path: Path, content: bytes, options: FormatOptions | None = None, *, force: bool = False
) -> ArchiveFile:
    """Write a file and prepare it as one that a person named."""
    path.write_bytes(content)
    inputs = [Input(path, named=True)]
    (file,) = prepare_files(inputs, options or FormatOptions(), None, force=force).files
    return file


def survey(
    path: Path, content: bytes, options: FormatOptions | None = None, *, force: bool = False
) -> Survey:
    """Return what a dry run finds."""
    (found,) = survey_files([prepared(path, content, options, force=force)], Times(), lambda: NOW)
    return found


def events(path: Path, content: bytes, options: FormatOptions | None = None) -> list[RawEvent]:
    """Return all events."""
    file = prepared(path, content, options)
    with path.open("rb") as opened:
        reading = RecordReader(file, opened, run="r", run_started_at=NOW)
        return [
            event
            for placed in reading.records(FilePosition())
            if placed is not None
            for event in parse_record(placed.reader, placed.record, placed.origin, NOW).events
        ]


def tweets(path: Path, content: bytes, options: FormatOptions | None = None) -> list[TweetPosted]:
    """Return the tweets among the events."""
    return [e for e in events(path, content, options) if isinstance(e, TweetPosted)]
