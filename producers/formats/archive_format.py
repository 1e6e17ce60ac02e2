"""What a format is: how its files look, how they are split, how a record is parsed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from producers.archives.records import Lines, Record
from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin, Parsed, Refused


@dataclass(frozen=True)
class FormatOptions:
    """What is known of a file besides its content.

    A person says the names of its columns and whether quotes are CSV quotes; `labels` is the file
    of labels that was found beside a file of texts. `file_name` is its own, where it has one.
    """

    columns: tuple[str, ...] | None = None
    quoting: bool | None = None
    labels: Path | None = None
    file_name: str = ""

    def described(self) -> str:
        """Return what a person said of the file: two that say the same read it alike."""
        columns = ",".join(self.columns) if self.columns is not None else ""
        return f"columns={columns} quoting={self.quoting}"


class ArchiveReader(Protocol):
    """Reads one file of a format."""

    def records(self, lines: Lines) -> Iterator[Record]:
        """Put lines together to records; the same lines always give the same records."""
        ...

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return what a record holds; raise `Unparsable` and nothing else. Does no I/O."""
        ...


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
        return reader.parse(record, origin, received_at)
    except Unparsable as fault:
        return Parsed(refused=[Refused(fault.reason, fault.detail)])
