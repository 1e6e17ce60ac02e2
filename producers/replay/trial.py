"""Whether anything of a file can be used, asked of its first records before any is published."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from producers.formats.archive_format import TellsOfItself, parse_record
from producers.formats.rows import BLANK_LINE, REPEATED_HEADER
from producers.formats.semeval import NOT_AVAILABLE
from producers.formats.table_columns import listed
from producers.replay.advice import advice_on
from producers.replay.packed_files import UNKNOWN_FORMAT
from producers.replay.plan import PACKED, ArchiveFile
from producers.replay.positions import FilePosition
from producers.replay.record_reader import Placed, RecordReader
from producers.x_api.lenient_parser import API_ERROR
from schemas.failures import Failure

RECORDS: Final = 100

SAYS_NOTHING: Final = frozenset(
    [UNKNOWN_FORMAT, BLANK_LINE, REPEATED_HEADER, NOT_AVAILABLE, API_ERROR]
)
"""What is passed over and, where it is all that a file holds, leaves nothing of it. Others, as a
quiet stream's heartbeats and a search that found nothing, are what they are meant to be."""

_FORCE: Final = "--force replays it anyway: what cannot be read becomes dead letters"


class NothingUsable(Failure):
    """No record of a file's first hundred is a tweet, nor anything else that is known."""


def check_usable(file: ArchiveFile, now: Callable[[], datetime]) -> None:
    """Raise `NothingUsable` where the first records of a file all fail, or where it has none.

    A file that is damaged, or a tar of empty files, is for the replay to tell of. What comes from
    standard input cannot be looked at beforehand.
    """
    if file.stream is not None:
        return
    with file.path.open("rb") as opened:
        reading = RecordReader(file, opened, run="none", run_started_at=now())
        fault = fault_of_records(
            (placed for placed in reading.records(FilePosition()) if placed is not None),
            now,
            file.reader.fields if isinstance(file.reader, TellsOfItself) else (),
        )
        empty = file.format_name in PACKED and not reading.lines
        if fault is None or reading.damage is not None or (empty and not reading.unknown):
            return
        unknown = reading.unknown
    if unknown and UNKNOWN_FORMAT in fault:
        fault = f"none of the files in it can be read: {'; '.join(unknown)}"
        raise NothingUsable(fault)
    packed = " (in the files within it)" if file.format_name in PACKED else ""
    raise NothingUsable(f"{fault}{packed}. {_FORCE}")


def fault_of_records(
    records: Iterable[Placed], now: Callable[[], datetime], fields: tuple[str, ...] = ()
) -> str | None:
    """Return why none of the first records can be used, and what would help; None where one can.

    `fields` are the names that are known of all of them.
    """
    refused: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    looked_at = 0
    for placed in records:
        parsed = parse_record(placed.reader, placed.record, placed.origin, now())
        if parsed.events:
            return None
        refused.update(each.detail for each in parsed.refused)
        skipped.update(parsed.skipped)
        if isinstance(placed.reader, TellsOfItself):
            fields = fields or placed.reader.fields
        looked_at += UNKNOWN_FORMAT not in parsed.skipped
        if looked_at >= RECORDS:
            break
    if not refused:
        if not SAYS_NOTHING.issuperset(skipped):
            return None
        if not skipped:
            return f"it has no rows{_found(fields)}"
        return f"it has no tweets, but {_counted(skipped)}{_found(fields)}"
    ((detail, times),) = refused.most_common(1)
    said = f"{times:,} times: {detail}" if times > 1 else detail
    advice = advice_on(detail, fields)
    return (
        f"none of its first {looked_at:,} records is a tweet ({said}){_found(fields)}"
        f"{'' if advice is None else f': {advice}'}"
    )


def _found(fields: tuple[str, ...]) -> str:
    return f"; it has {listed(fields)}" if fields else ""


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
