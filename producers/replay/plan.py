"""Where each file of a replay begins, decided from what is known of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from producers.formats.archive_format import ArchiveReader, FormatOptions
from producers.parsing.field_values import storable
from producers.replay.positions import FileKey, FilePosition

TAR: Final = "tar"
ZIP: Final = "zip"
PACKED: Final = (TAR, ZIP)


class Action(StrEnum):
    """What is done with a file."""

    BEGIN = "published from its start"
    RESUME = "published from where it was"
    ALREADY_FINISHED = "passed over: already finished"
    SAME_CONTENT = "passed over: same content as another file"


@dataclass(frozen=True)
class ArchiveFile:
    """A file to replay, told by its content.

    `reader` is None for a tar or zip, whose files have formats of their own. `stream` is what
    comes from standard input: it has no position, since it cannot be read again. `named` tells
    whether a person named it, `reading` what tells its records from those of another reading.
    """

    path: Path
    sha256: str
    size_bytes: int
    format_name: str
    reader: ArchiveReader | None
    options: FormatOptions = field(default_factory=FormatOptions)
    named_format: str | None = None
    stream: Iterator[bytes] | None = None
    named: bool = True
    reading: str = ""

    @property
    def name(self) -> str:
        """Its own name, with U+FFFD for what cannot be stored: names are any bytes."""
        return storable(self.path.name)

    @property
    def shown(self) -> str:
        """Its path as people and programs are told of it."""
        return storable(str(self.path))

    @property
    def key(self) -> FileKey:
        """What its position is known by."""
        read_as = f"{self.format_name} {self.options.described()}{self.reading}"
        return FileKey(self.sha256, read_as)


@dataclass(frozen=True)
class PlannedFile:
    """A file and where its replay begins."""

    file: ArchiveFile
    action: Action
    start: FilePosition


def plan_files(
    files: Sequence[ArchiveFile], known: Mapping[FileKey, FilePosition], *, restart: bool
) -> list[PlannedFile]:
    """Return where each file begins.

    What was interrupted goes on: files already finished in this run are passed over as long as
    another of the files named is not. Once all are finished, or with `restart`, all are published
    from their start again, which changes nothing downstream.
    """
    stored = [known.get(file.key, _UNKNOWN) for file in files if file.stream is None]
    anew = restart or all(position.finished for position in stored)
    planned = []
    seen: set[str] = set()
    for file in files:
        position = known.get(file.key, _UNKNOWN)
        if file.sha256 in seen:
            action, position = Action.SAME_CONTENT, _UNKNOWN
        elif anew or position == _UNKNOWN:
            action, position = Action.BEGIN, _UNKNOWN
        elif position.finished:
            action = Action.ALREADY_FINISHED
        else:
            action = Action.RESUME
        seen.add(file.sha256)
        planned.append(PlannedFile(file, action, position))
    return planned


_UNKNOWN = FilePosition()
