"""One pass over a file: its records, those of the files in a tar or zip among them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, Final, NamedTuple

from producers.archives.lines import LineReader
from producers.archives.member import Member
from producers.archives.opening import content_of
from producers.archives.records import Lines, Record, Unreadable
from producers.archives.tar_members import tar_members
from producers.archives.zip_members import zip_members
from producers.formats.archive_format import ArchiveReader, line_reader
from producers.formats.json_documents import DocumentReader
from producers.parsing.provenance import Origin, Parsed
from producers.replay.packed_files import UNKNOWN_FORMAT, packed_files
from producers.replay.plan import ZIP, ArchiveFile
from producers.replay.positions import FilePosition
from schemas.codec import Reason

EMPTY: Final = "empty"
"""Counted in the place of a format for the files of a tar or zip that hold nothing."""

EXAMPLES: Final = 5
"""How many of the things of one kind that could not be read are named."""


_TORN: Final = "the file ends inside a document: it was cut, or is not whole yet"


class Placed(NamedTuple):
    """A record, who parses it, where it comes from, and in which file of a tar or zip it stands."""

    record: Record
    reader: ArchiveReader
    origin: Origin
    member: int
    file_name: str


class RecordReader:
    """Reads a file once, from a position on.

    `lines` counts the lines read so far, `formats` the formats met (a tar's files have their
    own), `unknown` names files of a tar that have none, and why. `damage` says at the end what
    could not be read, None where all could; each damage has been a record too.
    """

    def __init__(
        self, file: ArchiveFile, opened: BinaryIO | None, *, run: str, run_started_at: datetime
    ) -> None:
        self._file = file
        self._opened = opened
        self._content = file.stream or _content_of(file, opened)
        self._origin = Origin(run, run_started_at, file.format_name, file.sha256)
        self._lines_before = 0
        self._current = LineReader(())
        self._damages: list[str] = []
        self._cut: str | None = None
        self.formats: dict[str, int] = {}
        self.unknown: list[str] = []

    @property
    def lines(self) -> int:
        """How many lines have been read."""
        return self._lines_before + self._current.lines

    @property
    def damage(self) -> str | None:
        """What could not be read, as far as it is known by now."""
        damages = [*self._damages, *self._damages_of_current()]
        others = f", and {len(damages) - 1} more" if len(damages) > 1 else ""
        return f"{damages[0]}{others}" if damages else None

    def records(self, start: FilePosition) -> Iterator[Placed | None]:
        """Yield the records from `start` on; None for each that is read and passed over."""
        passed = start.records_done - start.records_before_member
        is_stream = self._file.stream is not None
        for part in self._parts(start.members_done):
            self._current = line_reader(part.reader, part.content)
            origin, whole = part.origin, part.origin.content.encode()
            last = b""
            for number, record in enumerate(part.reader.records(iter(self._current))):
                last = record.raw
                if record.unreadable is not None and record.unreadable.cuts_file:
                    self._cut = record.unreadable.detail
                if number < passed:
                    yield None
                    continue
                if is_stream:
                    # What comes from standard input is known by nothing but the line itself.
                    origin = replace(origin, content=hashlib.sha256(whole + record.raw).hexdigest())
                yield Placed(record, part.reader, origin, part.member, part.name)
            if self._cut is None and _is_torn(last, part.reader):
                self._cut = _TORN
            passed = 0

    def _damages_of_current(self) -> list[str]:
        """A file whose bytes are damaged ends within what it holds; that is said once."""
        damage = self._current.damage or self._cut
        return [] if damage is None else [damage]

    def _members(self) -> Iterator[Member]:
        if self._file.format_name == ZIP and self._opened is not None:
            return zip_members(self._opened)
        return tar_members(self._content)

    def _parts(self, first_member: int) -> Iterator["_Part"]:
        """Yield the one file, or those in a tar or zip, each of which is read before the next."""
        if self._file.reader is not None:
            self._count(self._file.format_name)
            yield _Part(self._file.reader, self._content, self._origin, 0, self._file.name)
            return
        for packed in packed_files(self._members(), self._file, first_member):
            name = f"{self._file.name}/{packed.name}"
            origin = replace(self._origin, content=f"{self._file.sha256}/{packed.number}")
            if packed.damage is not None:
                self._damages.append(packed.damage)
                reader: ArchiveReader = _PassedOver(packed.damage)
                yield _Part(reader, packed.content, origin, packed.number, name)
                continue
            if packed.reader is not None:
                origin = replace(origin, source=packed.format_name)
            elif len(self.unknown) < EXAMPLES:
                self.unknown.append(f"{name}: {packed.why}")
            reader = packed.reader or _PassedOver()
            yield _Part(reader, packed.content, origin, packed.number, name)
            holds_something = packed.reader is None or self._current.lines or self._current.damage
            self._count(packed.format_name if holds_something else EMPTY)
            self._damages += [f"{packed.name}: {each}" for each in self._damages_of_current()]
            self._cut = None
            self._lines_before += self._current.lines
            self._current = LineReader(())

    def _count(self, format_name: str) -> None:
        self.formats[format_name] = self.formats.get(format_name, 0) + 1


def _content_of(file: ArchiveFile, opened: BinaryIO | None) -> Iterator[bytes]:
    return iter(()) if opened is None else content_of(opened, file.options.wanted_columns)


class _Part(NamedTuple):
    """A file, or one of those in a tar or zip, and who reads it."""

    reader: ArchiveReader
    content: Iterator[bytes]
    origin: Origin
    member: int
    name: str


def _is_torn(last: bytes, reader: ArchiveReader) -> bool:
    """Tell whether the last record begins a document of JSON and does not end it."""
    if not isinstance(reader, DocumentReader):
        return False
    last = last.strip()
    return last.startswith(b'{"') and not last.endswith(b"}")


@dataclass(frozen=True)
class _PassedOver:
    """Reads nothing of a file, and says so; with `damage`, that nothing of it can be read."""

    damage: str | None = None

    def records(self, _lines: Lines) -> Iterator[Record]:
        unreadable = self.damage and Unreadable(Reason.UNREADABLE_LINE, self.damage)
        yield Record(1, b"", unreadable or None)

    def parse(self, _record: Record, _origin: Origin, _received_at: datetime) -> Parsed:
        return Parsed(skipped=[UNKNOWN_FORMAT])
