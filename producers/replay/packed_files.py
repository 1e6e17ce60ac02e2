"""The files within a tar or zip, each with the format that it has by itself."""

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

from producers.archives.byte_stream import PieceFile, looked_at
from producers.archives.compression import decompressed
from producers.archives.expansion import DamagedFile, Expansion
from producers.archives.member import Member
from producers.archives.opening import content_of, is_parquet
from producers.archives.tar_members import BLOCK_BYTES
from producers.formats.archive_format import ArchiveReader, FormatOptions
from producers.formats.day_order import with_day_order
from producers.formats.json_columns import JSON_COLUMNS
from producers.formats.registry import SNIFFED_BYTES, choose_format
from producers.formats.tweeteval import labels_beside
from producers.parsing.field_values import storable
from producers.replay.paired_files import PairedFiles
from producers.replay.plan import ArchiveFile
from schemas.failures import Failure

UNKNOWN_FORMAT: Final = "file-of-no-known-format"


@dataclass(frozen=True)
class PackedFile:
    """A file within another; its content is to be read before the next.

    Where `reader` is None, `format_name` is `UNKNOWN_FORMAT` and `why` says why; where `damage`
    is set too, that is a word on what lay there.
    """

    number: int
    name: str
    content: Iterator[bytes] = field(default_factory=lambda: iter(()))
    format_name: str = UNKNOWN_FORMAT
    reader: ArchiveReader | None = None
    why: str = ""
    damage: str | None = None


def packed_files(
    members: Iterator[Member], archive: ArchiveFile, first: int
) -> Iterator[PackedFile]:
    """Yield the files from number `first` on but hidden ones; those before are not unpacked.

    TweetEval's texts and labels belong together wherever they lie, so they come last, numbered as
    if they stood there.
    """
    following = 0
    expansion = Expansion(archive.size_bytes)
    with tempfile.TemporaryDirectory(prefix="murmur-") as folder:
        aside = PairedFiles(Path(folder))
        for unnamed in members:
            member = unnamed._replace(name=storable(unnamed.name))
            following = member.number + 1
            if _hidden(member.name):
                continue
            if member.damage is None and aside.wants(member.name):
                bounded = member._replace(content=expansion.bounded(member.content))
                damage = _put_aside(bounded, aside)
                if damage is not None and member.number >= first:
                    yield PackedFile(member.number, member.name, damage=damage)
            elif member.number >= first:
                yield _of_member(member, archive, expansion)
        for number, (name, path) in enumerate(aside.texts(), following):
            if number >= first:
                options = replace(archive.options, labels=labels_beside(path))
                with path.open("rb") as file:
                    yield _formatted(
                        Member(number, name, decompressed(file)), options, archive.named_format
                    )


def _hidden(name: str) -> bool:
    """Tell whether a file would be hidden in a folder, or is what macOS adds to zips."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part != ".." for part in parts)


def _put_aside(member: Member, aside: PairedFiles) -> str | None:
    try:
        aside.take(member)
    except (DamagedFile, OSError) as error:
        return f"{member.name}: {error}"
    return None


def _of_member(member: Member, archive: ArchiveFile, expansion: Expansion) -> PackedFile:
    if member.damage is not None:
        return PackedFile(member.number, member.name, damage=member.damage)
    packed, content = looked_at(member.content, BLOCK_BYTES)
    named = JSON_COLUMNS.name if is_parquet(packed) else archive.named_format
    opened = content_of(io.BufferedReader(PieceFile(content)), archive.options.wanted_columns)
    if archive.stream is None:
        # What is packed twice may unpack to 200 times 200 its size: once is enough.
        opened = expansion.bounded(opened)
    return _formatted(member._replace(content=opened), archive.options, named)


def _formatted(member: Member, options: FormatOptions, named: str | None) -> PackedFile:
    beginning, content = looked_at(member.content, SNIFFED_BYTES)
    options = replace(options, file_name=member.name)
    try:
        known = choose_format(beginning, options, named)
        reader = with_day_order(known.reader(beginning, options), beginning)
    except Failure as failure:
        return PackedFile(member.number, member.name, content, why=str(failure))
    return PackedFile(member.number, member.name, content, known.name, reader)
