"""Rows of a table, whatever it is written as: each is a tweet, or known to be none."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from producers.archives.lines import MAX_LINE_BYTES
from producers.archives.records import Lines, Record, SplitLines
from producers.formats.named_values import read_values
from producers.formats.table_columns import TableColumns
from producers.parsing.provenance import Origin, Parsed
from producers.parsing.written_dates import DayOrder
from schemas.events import MatchedRule, Reference

BLANK_LINE: Final = "blank-line"
REPEATED_HEADER: Final = "repeated-header"


class Row(NamedTuple):
    """The values of a row by the names of `named_values.COLUMNS`, and what else its tweet has.

    `swallowed_lines` of it may be rows that a stray quote took in.
    """

    values: Mapping[str, object]
    references: tuple[Reference, ...] = ()
    rules: tuple[MatchedRule, ...] = ()
    dropped: tuple[str, ...] = ()
    swallowed_lines: int = 0


@dataclass(frozen=True)
class RowReader:
    """Reads a tweet from each row that is not blank.

    `split` puts the lines of a row together. `row_of` reads it: a text says what a row is that is
    no tweet, `Unparsable` what is wrong with one. `columns` are those of the file, `day_order` is
    how its dates of numbers are read, and `reading` tells these rows from those of another reading.
    With `in_parts` lines may be of any length.
    """

    split: SplitLines
    row_of: Callable[[bytes], Row | str]
    columns: TableColumns = field(default_factory=TableColumns)
    day_order: DayOrder | None = None
    reading: str = ""
    in_parts: bool = False
    max_line_bytes: int = MAX_LINE_BYTES

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the columns found."""
        return self.columns.fields

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield the rows."""
        return self.split(lines)

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return the tweet of a row."""
        if not record.raw.strip():
            return Parsed(skipped=[BLANK_LINE])
        row = self.row_of(record.raw)
        if isinstance(row, str):
            return Parsed(skipped=[row])
        found = read_values(
            row.values,
            origin=origin,
            received_at=received_at,
            line=record.line,
            place=record.place,
            references=row.references,
            rules=row.rules,
            day_order=self.day_order,
        )
        return Parsed(
            [found.tweet],
            overruled_times=found.time_is_overruled,
            dropped=[*row.dropped, *found.dropped],
            swallowed_lines=row.swallowed_lines,
        )


def each_line(lines: Lines) -> Iterator[Record]:
    """Yield each line as a row."""
    return lines


def without_header(rows: Iterator[Record]) -> Iterator[Record]:
    """Pass over the first row that is not blank."""
    header_due = True
    for row in rows:
        if header_due and row.raw.strip():
            header_due = False
        else:
            yield row
