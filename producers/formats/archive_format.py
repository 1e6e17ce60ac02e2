"""What a format is: how its files look, how they are split, how a record is parsed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from producers.archives.lines import LineReader
from producers.archives.records import Lines, Record
from producers.formats.named_values import COLUMNS
from producers.formats.other_names import IDS, TEXTS, TIMES
from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin, Parsed, Refused
from producers.parsing.written_dates import DayOrder
from schemas.events import TweetPosted


@dataclass(frozen=True)
class FormatOptions:
    """What is known of a file besides its content.

    A person says the names of its columns, or by `mapping` which of its columns is meant by a name,
    whether quotes are CSV quotes, and the order of day and month in its dates; `labels` is the file
    of labels that was found beside a file of texts. `file_name` is its own, where it has one.
    """

    columns: tuple[str, ...] | None = None
    mapping: tuple[tuple[str, str], ...] = ()
    day_order: DayOrder | None = None
    quoting: bool | None = None
    labels: Path | None = None
    file_name: str = ""

    def described(self) -> str:
        """Return what a person said of the file: two that say the same read it alike."""
        columns = ",".join(self.columns) if self.columns is not None else ""
        said = f"columns={columns} quoting={self.quoting}"
        if self.mapping:
            said += f" mapping={','.join(f'{name}={column}' for name, column in self.mapping)}"
        if self.day_order is not None:
            said += f" dates={self.day_order}"
        return said

    @property
    def wanted_columns(self) -> tuple[str, ...]:
        """The names of the columns that may be read; a Parquet file may spell them otherwise."""
        mapped = (column for _, column in self.mapping)
        return tuple(dict.fromkeys([*COLUMNS, *IDS, *TEXTS, *TIMES, *mapped]))


class ArchiveReader(Protocol):
    """Reads one file of a format."""

    def records(self, lines: Lines) -> Iterator[Record]:
        """Put lines together to records; the same lines always give the same records."""
        ...

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return what a record holds; raise `Unparsable` and nothing else. Does no I/O."""
        ...


@runtime_checkable
class TellsOfItself(Protocol):
    """A reader that says how it reads: JSON and tables do.

    `fields` are the names found in the file, `reading` tells its records from those of another
    reading, and with `in_parts` it takes lines of any length, long ones in parts.
    """

    @property
    def fields(self) -> tuple[str, ...]: ...

    @property
    def reading(self) -> str: ...

    @property
    def in_parts(self) -> bool: ...

    @property
    def max_line_bytes(self) -> int: ...


def line_reader(reader: ArchiveReader, pieces: Iterator[bytes]) -> LineReader:
    """Return the lines of a content as its reader takes them."""
    if not isinstance(reader, TellsOfItself):
        return LineReader(pieces)
    return LineReader(pieces, reader.max_line_bytes, in_parts=reader.in_parts)


@dataclass(frozen=True)
class ArchiveFormat:
    """A format. `recognises` and `reader` see the first bytes of the file, decompressed.

    `reader` raises `Failure` where the options do not fit the file.
    """

    name: str
    summary: str
    recognises: Callable[[bytes, FormatOptions], bool]
    reader: Callable[[bytes, FormatOptions], ArchiveReader]


def parse_record(
    reader: ArchiveReader, record: Record, origin: Origin, received_at: datetime
) -> Parsed:
    """Return what a record holds, its faults as refused tweets; raises nothing."""
    if record.unreadable is not None:
        return Parsed(refused=[Refused(*record.unreadable)])
    try:
        parsed = reader.parse(record, origin, received_at)
    except Unparsable as fault:
        return Parsed(refused=[Refused(fault.reason, fault.detail)])
    for event in parsed.events:
        # Only a tweet without any time gets the moment at which its run began.
        if isinstance(event, TweetPosted) and event.posted_at == origin.run_started_at:
            parsed.untimed += 1
    return parsed
