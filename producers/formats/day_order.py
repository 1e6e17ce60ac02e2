"""Whether the day or the month stands first in a table's dates: decided by all of its rows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from producers.archives.lines import LineReader
from producers.archives.records import Record
from producers.formats.archive_format import ArchiveReader
from producers.formats.rows import RowReader
from producers.parsing.faults import Unparsable
from producers.parsing.field_values import unmarked_id
from producers.parsing.written_dates import day_order_of
from schemas.failures import Failure
from schemas.tweet_time import snowflake_time

_ROWS: Final = 100


@dataclass
class _Evidence:
    """How many dates show each order; `needed` are tweets that have no time but such a date."""

    orders: Counter[str] = field(default_factory=Counter)
    needed: int = 0

    def add(self, reader: RowReader, record: Record) -> None:
        """Take a row in."""
        try:
            row = reader.row_of(record.raw) if record.raw.strip() else ""
        except Unparsable:
            return
        written = "" if isinstance(row, str) else row.values.get("created_at")
        order = day_order_of(written) if isinstance(written, str) else None
        if order is not None and not isinstance(row, str):
            self.orders[order] += 1
            own_id = unmarked_id(str(row.values.get("id") or "").strip())
            self.needed += order == "either" and snowflake_time(own_id) is None


def needs_day_order(reader: ArchiveReader, beginning: bytes) -> bool:
    """Tell whether the first rows have dates that are read one way or the other."""
    if not isinstance(reader, RowReader) or reader.day_order is not None:
        return False
    return bool(_evidence_of(reader, _records(reader, beginning)).orders)


def decided_by(
    reader: ArchiveReader, records: Iterable[Record], *, forced: bool = False
) -> ArchiveReader:
    """Return the reader with the order that its rows show, all alike.

    Where none shows one, dates that can be read two ways are none. Raises `Failure` where a tweet
    has no other time, or where the rows contradict each other, unless that is `forced`.
    """
    if not isinstance(reader, RowReader) or reader.day_order is not None:
        return reader
    found = _evidence_of(reader, records)
    day_first, month_first = found.orders["dmy"], found.orders["mdy"]
    if day_first and month_first and not forced:
        raise Failure(
            f"its dates contradict each other: the day stands first in {day_first:,}, the month in "
            f"{month_first:,}. Say which counts, --dates dmy or --dates mdy: the others are none"
        )
    if found.needed and not day_first and not month_first and not forced:
        raise Failure(
            "its dates can be read two ways, as 03/04/2021, and none of them shows which is meant: "
            "say --dates dmy or --dates mdy"
        )
    if bool(day_first) == bool(month_first):
        return reader
    return replace(reader, day_order="dmy" if day_first else "mdy")


def with_day_order(reader: ArchiveReader, beginning: bytes) -> ArchiveReader:
    """Return the same of a file that is read but once, decided by its beginning."""
    if not isinstance(reader, RowReader):
        return reader
    return decided_by(reader, _records(reader, beginning))


def _records(reader: RowReader, beginning: bytes) -> list[Record]:
    records = []
    for record in reader.records(iter(LineReader([beginning], in_parts=reader.in_parts))):
        records.append(record)
        if len(records) > _ROWS:
            break
    return records


def _evidence_of(reader: RowReader, records: Iterable[Record]) -> _Evidence:
    evidence = _Evidence()
    for record in records:
        if record.unreadable is None:
            evidence.add(reader, record)
    return evidence
