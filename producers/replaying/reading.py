"""One pass over a file: its records, those of a tar's files among them."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, NamedTuple

from producers.archives.byte_stream import PieceFile, looked_at
from producers.archives.compression import decompressed
from producers.archives.lines import LineReader
from producers.archives.opening import content_of
from producers.archives.records import Lines, Record, Unreadable
from producers.archives.tar_members import Member, tar_members
from producers.border.origin import Origin, Parsed
from producers.border.values import storable
from producers.formats.archive_format import ArchiveFormat, ArchiveReader, FormatOptions
from producers.formats.named_values import COLUMNS
from producers.formats.registry import SNIFFED_BYTES, choose_format
from producers.replaying.plan import ArchiveFile
from producers.replaying.positions import FilePosition
from schemas.codec import Reason
from schemas.failures import Failure

UNKNOWN_FORMAT = "file-of-no-known-format"


class Placed(NamedTuple):
    """A record, who parses it, where it comes from, and in which file of a tar it stands."""

    record: Record
    reader: ArchiveReader
    origin: Origin
    member: int
    file_name: str


class Reading:
    """Reads a file once, from a position on.

    `lines` counts the lines read so far, `formats` the formats met (a tar's files have their
    own). `damage` says at the end what could not be read, None where all could; each damage has
    been a record too.
    """

    def __init__(
        self, file: ArchiveFile, opened: BinaryIO | None, *, run: str, run_started_at: datetime
    ) -> None:
        self._file = file
        self._opened = opened
        self._origin = Origin(run, run_started_at, file.format_name, file.sha256)
        self._lines_before = 0
        self._current = LineReader(())
        self._damages: list[str] = []
        self.formats: dict[str, int] = {}

    @property
    def lines(self) -> int:
        """How many lines have been read."""
        return self._lines_before + self._current.lines

    @property
    def damage(self) -> str | None:
        """What could not be read, as far as it is known by now."""
        damages = self._damages + [self._current.damage] * (self._current.damage is not None)
        others = f", and {len(damages) - 1} more" if len(damages) > 1 else ""
        return f"{damages[0]}{others}" if damages else None

    def records(self, start: FilePosition) -> Iterator[Placed | None]:
        """Yield the records from `start` on; None for each that is read and passed over."""
        passed = start.records_done - start.records_before_member
        if self._file.stream is not None:
            content = self._file.stream
        elif self._opened is not None:
            content = content_of(self._opened, COLUMNS)
        else:
            content = iter(())
        if self._file.reader is not None:
            name = self._file.path.name
            self._count(self._file.format_name)
            yield from self._of(self._file.reader, content, self._origin, 0, name, passed)
            return
        for member in tar_members(content, start.members_done):
            yield from self._of_member(member, passed)
            passed = 0

    def _of_member(self, member: Member, passed: int) -> Iterator[Placed | None]:
        file = self._file
        name = storable(f"{file.path.name}/{member.name}")
        origin = replace(self._origin, content=f"{file.sha256}/{member.number}")
        if member.damage is not None:
            self._damages.append(member.damage)
            yield Placed(_unreadable(member.damage), _PassedOver(), origin, member.number, name)
            return
        packed: BinaryIO = io.BufferedReader(PieceFile(member.content))
        beginning, content = looked_at(_decompressed(packed), SNIFFED_BYTES)
        known, reader = _format_of(name, beginning, file)
        self._count(known.name if known is not None else UNKNOWN_FORMAT)
        if known is not None:
            origin = replace(origin, source=known.name)
        yield from self._of(reader, content, origin, member.number, name, passed)
        if self._current.damage is not None:
            self._damages.append(f"{member.name}: {self._current.damage}")
        self._lines_before += self._current.lines
        self._current = LineReader(())

    def _of(
        self,
        reader: ArchiveReader,
        content: Iterator[bytes],
        origin: Origin,
        member: int,
        name: str,
        passed: int,
    ) -> Iterator[Placed | None]:
        self._current = LineReader(content)
        is_stream = self._file.stream is not None
        whole = origin.content.encode()
        for number, record in enumerate(reader.records(iter(self._current))):
            if number < passed:
                yield None
                continue
            if is_stream:
                # What comes from standard input is known by nothing but the line itself.
                origin = replace(origin, content=hashlib.sha256(whole + record.raw).hexdigest())
            yield Placed(record, reader, origin, member, name)

    def _count(self, format_name: str) -> None:
        self.formats[format_name] = self.formats.get(format_name, 0) + 1


@dataclass(frozen=True)
class _PassedOver:
    """Reads nothing of a file, and says so."""

    def records(self, _lines: Lines) -> Iterator[Record]:
        yield Record(1, b"")

    def parse(self, _record: Record, _origin: Origin, _received_at: datetime) -> Parsed:
        return Parsed(skipped=[UNKNOWN_FORMAT])


def _unreadable(detail: str) -> Record:
    return Record(1, b"", Unreadable(Reason.UNREADABLE_LINE, detail))


def _decompressed(packed: BinaryIO) -> Iterator[bytes]:
    """Decompress at the first piece: what looking at the beginning raises is damage as well."""
    yield from decompressed(packed)


def _format_of(
    name: str, beginning: bytes, file: ArchiveFile
) -> tuple[ArchiveFormat | None, ArchiveReader]:
    options: FormatOptions = file.options
    try:
        known = choose_format(name, beginning, options, file.named_format)
        return known, known.reader(beginning, options)
    except Failure:
        return None, _PassedOver()
