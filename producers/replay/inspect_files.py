"""Looking at files before anything is published: their format, and which files they are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from producers.archives.byte_stream import looked_at, none_if_empty
from producers.archives.compression import beginning_of
from producers.archives.fingerprint import file_sha256
from producers.archives.inputs import STANDARD_INPUT, Input
from producers.archives.line_ends import line_end_is_decided, line_end_of
from producers.archives.lines import LineReader
from producers.archives.opening import content_of, is_parquet
from producers.archives.tar_members import BLOCK_BYTES, is_tar
from producers.archives.zip_members import is_zip
from producers.formats.archive_format import (
    ArchiveReader,
    FormatOptions,
    TellsOfItself,
    line_reader,
)
from producers.formats.day_order import decided_by, needs_day_order
from producers.formats.json_columns import JSON_COLUMNS
from producers.formats.json_sniffing import layout_is_decided
from producers.formats.other_content import office_document
from producers.formats.registry import SNIFFED_BYTES, choose_format
from producers.formats.rows import RowReader
from producers.formats.table_columns import listed
from producers.formats.tweeteval import belongs_to_texts, labels_beside
from producers.parsing.field_values import storable
from producers.replay.plan import TAR, ZIP, ArchiveFile
from producers.replay.trial import check_usable
from schemas.failures import Failure

_MOST_KINDS: Final = 5
_ZIP_BEGINNING_BYTES: Final = 64 * 1024
_PACKED_READING: Final = " files=2"
"""Tells the records of a tar or zip from those of the reading before."""


class EmptyFile(Failure):
    """There is nothing in a file that could be replayed."""


class PassedOver(NamedTuple):
    """A file that is not replayed, and why."""

    file: str
    why: str


class Prepared(NamedTuple):
    """What is to be replayed, and what is not: empty files, and some of those in folders."""

    files: list[ArchiveFile]
    passed_over: list[PassedOver]


def prepare_files(
    inputs: Sequence[Input],
    options: FormatOptions,
    format_name: str | None,
    *,
    standard_input: BinaryIO | None = None,
    force: bool = False,
) -> Prepared:
    """Return the files with their formats; raise `Failure` where a named file has none.

    A file that a person named must have a known format, and a tweet among its first records unless
    it is to be replayed by `force`; one found in a folder is passed over, and so is any that is
    empty, unless there is no other. Little but the beginning of each file is read; `hash_files`
    says which it is.
    """
    files: list[ArchiveFile] = []
    passed_over: list[PassedOver] = []
    for path, named in inputs:
        if belongs_to_texts(path) and not named:
            passed_over.append(PassedOver(_shown(path), "read along with the texts beside it"))
            continue
        try:
            if path == STANDARD_INPUT:
                files.append(
                    _from_standard_input(standard_input, options, format_name, force=force)
                )
            else:
                file = _of_path(path, options, format_name, named=named, force=force)
                if not force:
                    check_usable(file, _now)
                files.append(file)
        except Failure as failure:
            if named and not isinstance(failure, EmptyFile):
                raise Failure(f"{_shown(path)}: {failure}") from failure
            passed_over.append(PassedOver(_shown(path), str(failure)))
    if not files:
        raise Failure(_nothing_to_replay(passed_over))
    return Prepared(files, passed_over)


def hash_files(
    files: Sequence[ArchiveFile], on_read: Callable[[int], None] = lambda _bytes: None
) -> list[ArchiveFile]:
    """Return the files, each with the hash of its content; `on_read` gets the bytes as read.

    A file is known by it: its position in a run, and the ids of tweets that have none. So every
    file is read once before any of it is published. Raises `Failure` where one cannot be read.
    """
    return [_hashed(file, on_read) for file in files]


def _nothing_to_replay(passed_over: list[PassedOver]) -> str:
    kinds = passed_over_by_kind(passed_over)
    if len(passed_over) == 1:
        return kinds[0]
    return f"none of these files is an archive: {'; '.join(kinds[:_MOST_KINDS])}"


def passed_over_by_kind(passed_over: Sequence[PassedOver]) -> list[str]:
    """Return why files are not replayed, once for all of which the same is true."""
    files: dict[str, list[str]] = {}
    for file, why in passed_over:
        files.setdefault(why, []).append(file)
    return [
        f"{names[0]}{f' and {len(names) - 1:,} more' if len(names) > 1 else ''}: {why}"
        for why, names in files.items()
    ]


def _now() -> datetime:
    return datetime.now(UTC)


def _shown(path: Path) -> str:
    return "standard input" if path == STANDARD_INPUT else storable(str(path))


def _of_path(
    path: Path, options: FormatOptions, format_name: str | None, *, named: bool, force: bool
) -> ArchiveFile:
    options = replace(options, labels=labels_beside(path), file_name=path.name)
    try:
        with path.open("rb") as file:
            stored = beginning_of(file)
            content = iter(()) if is_zip(stored) else _content(file, options)
            beginning, _ = looked_at(content, SNIFFED_BYTES)
            if not is_zip(stored):
                _refuse_blank(beginning)
            else:
                _refuse_office_document(file)
        size_bytes = path.stat().st_size
    except OSError as error:
        raise Failure(str(error.strerror)) from error
    try:
        name, reader = _format_of(stored, beginning, options, format_name)
    except Failure as failure:
        if not is_parquet(stored):
            raise
        raise Failure(f"{failure}{_columns_of_parquet(path)}") from failure
    file_of = partial(
        ArchiveFile,
        path,
        "",
        size_bytes,
        name,
        options=options,
        named_format=format_name,
        named=named,
    )
    if reader is None:
        return file_of(reader=None, reading=_PACKED_READING)
    if is_parquet(stored):
        reader = _with_all_columns(path, reader)
    if needs_day_order(reader, beginning):
        with path.open("rb") as file:
            lines = line_reader(reader, content_of(file, options.wanted_columns))
            reader = decided_by(reader, reader.records(iter(lines)), forced=force)
    return file_of(reader=reader, reading=_reading_of(reader, beginning))


def _reading_of(reader: ArchiveReader, beginning: bytes) -> str:
    """Return what tells the records from those that other versions read of the same file."""
    by_carriage_returns = " lines=cr" if line_end_of(beginning) == b"\r" else ""
    return by_carriage_returns + (reader.reading if isinstance(reader, TellsOfItself) else "")


def _columns_of_parquet(path: Path) -> str:
    from producers.archives.parquet_rows import parquet_columns

    with path.open("rb") as file:
        names = parquet_columns(file)
    if not names:
        return ""
    return f"; it has {listed(names)} (columns of objects and lists are not read: flatten them)"


def _with_all_columns(path: Path, reader: ArchiveReader) -> ArchiveReader:
    """Return the reader of a Parquet file, which knows the columns that are never unpacked too."""
    from producers.archives.parquet_rows import parquet_columns

    if not isinstance(reader, RowReader):
        return reader
    with path.open("rb") as file:
        names = parquet_columns(file)
    columns = reader.columns
    taken = (name for name, _ in columns.taken_for)
    used = {*columns.read.values(), *taken, columns.fuller}
    passed_over = tuple(name for name in names if name not in used)
    return replace(reader, columns=replace(columns, passed_over=passed_over))


def _refuse_office_document(file: BinaryIO) -> None:
    file.seek(0)
    office = office_document(file.read(_ZIP_BEGINNING_BYTES))
    if office is not None:
        raise Failure(f"it is {office}")


def _from_standard_input(
    file: BinaryIO | None, options: FormatOptions, format_name: str | None, *, force: bool
) -> ArchiveFile:
    if file is None:
        raise Failure("it can be replayed, but --dry-run cannot read it beforehand")
    stored = beginning_of(file)
    if is_zip(stored):
        raise Failure("a zip is read from its end: name the file instead of standard input")
    # What feeds a pipe may be slow: one line decides, more is not waited for.
    beginning, content = looked_at(_content(file, options), SNIFFED_BYTES, enough=_a_line_is_there)
    name, reader = _format_of(stored, beginning, options, format_name)
    if reader is not None and needs_day_order(reader, beginning):
        reader = decided_by(reader, reader.records(iter(LineReader([beginning]))), forced=force)
    return ArchiveFile(
        STANDARD_INPUT, "standard-input", 0, name, reader, options, format_name, content
    )


def _a_line_is_there(beginning: bytes) -> bool:
    decided = b"\n" in beginning and line_end_is_decided(beginning)
    return decided and layout_is_decided(beginning)


def _content(file: BinaryIO, options: FormatOptions) -> Iterator[bytes]:
    content = none_if_empty(content_of(file, options.wanted_columns))
    if content is None:
        raise EmptyFile("it is empty")
    return content


def _refuse_blank(beginning: bytes) -> None:
    # More may follow where it fills what is looked at.
    if 0 < len(beginning) < SNIFFED_BYTES and not beginning.strip():
        raise EmptyFile("it holds nothing but blank lines")


def _format_of(
    stored: bytes, beginning: bytes, options: FormatOptions, format_name: str | None
) -> tuple[str, ArchiveReader | None]:
    """`stored` begins the file as it lies there, `beginning` what is in it."""
    if is_zip(stored):
        return ZIP, None
    if is_tar(beginning[:BLOCK_BYTES]):
        return TAR, None
    named = JSON_COLUMNS.name if is_parquet(stored) else format_name
    known = choose_format(beginning, options, named)
    return known.name, known.reader(beginning, options)


def _hashed(file: ArchiveFile, on_read: Callable[[int], None]) -> ArchiveFile:
    if file.stream is not None:
        return file
    try:
        return replace(file, sha256=file_sha256(file.path, on_read))
    except OSError as error:
        raise Failure(f"{file.shown}: {error.strerror}") from error
