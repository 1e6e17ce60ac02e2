"""Looking at files before anything is published: their format, and which files they are."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from producers.archives.byte_stream import looked_at
from producers.archives.compression import decompressed
from producers.archives.fingerprint import file_sha256
from producers.archives.inputs import STANDARD_INPUT, Input
from producers.archives.opening import content_of, is_parquet
from producers.archives.tar_members import BLOCK_BYTES, is_tar
from producers.formats.archive_format import ArchiveFormat, ArchiveReader, FormatOptions
from producers.formats.json_columns import JSON_COLUMNS
from producers.formats.named_values import COLUMNS
from producers.formats.registry import SNIFFED_BYTES, choose_format
from producers.formats.tweeteval import belongs_to_texts, labels_beside
from producers.replaying.plan import ArchiveFile
from schemas.failures import Failure

TAR = "tar"


class PassedOver(NamedTuple):
    """A file of a folder that is not replayed, and why."""

    path: Path
    why: str


class Prepared(NamedTuple):
    """What is to be replayed, and what of the folders is not."""

    files: list[ArchiveFile]
    passed_over: list[PassedOver]


def prepare_files(
    inputs: Sequence[Input],
    options: FormatOptions,
    format_name: str | None,
    *,
    standard_input: BinaryIO | None = None,
    on_read: Callable[[int], None] = lambda _bytes: None,
) -> Prepared:
    """Return the files with format and hash; raise `Failure` before a byte of any is published.

    A file that a person named must have a known format; one found in a folder is passed over.
    All formats are told first: hashing reads every file once (`on_read` gets the sizes in bytes).
    """
    unhashed: list[ArchiveFile] = []
    passed_over: list[PassedOver] = []
    for path, named in inputs:
        if path == STANDARD_INPUT:
            if standard_input is None:
                raise Failure("standard input can be replayed, but not looked at beforehand")
            unhashed.append(_from_standard_input(standard_input, options, format_name))
        elif belongs_to_texts(path) and not named:
            passed_over.append(PassedOver(path, "read along with the texts beside it"))
        else:
            try:
                unhashed.append(_of_path(path, options, format_name))
            except Failure as failure:
                if named:
                    raise
                passed_over.append(PassedOver(path, str(failure)))
    if not unhashed:
        raise Failure("there is no archive among these files: " + str(passed_over[0].why))
    return Prepared([_hashed(file, on_read) for file in unhashed], passed_over)


def _of_path(path: Path, options: FormatOptions, format_name: str | None) -> ArchiveFile:
    options = replace(options, labels=labels_beside(path))
    try:
        with path.open("rb") as file:
            parquet = is_parquet(file)
            beginning, _ = looked_at(content_of(file, COLUMNS), SNIFFED_BYTES)
        name, reader = _format_of(
            path, beginning, options, JSON_COLUMNS.name if parquet else format_name
        )
        size_bytes = path.stat().st_size
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    return ArchiveFile(path, "", size_bytes, name, reader, options, format_name)


def _from_standard_input(
    file: BinaryIO, options: FormatOptions, format_name: str | None
) -> ArchiveFile:
    # What feeds a pipe may be slow: one line decides, more is not waited for.
    beginning, content = looked_at(decompressed(file), SNIFFED_BYTES, one_line=True)
    name, reader = _format_of(STANDARD_INPUT, beginning, options, format_name)
    return ArchiveFile(
        STANDARD_INPUT, "standard-input", 0, name, reader, options, format_name, content
    )


def _format_of(
    path: Path, beginning: bytes, options: FormatOptions, format_name: str | None
) -> tuple[str, ArchiveReader | None]:
    if is_tar(beginning[:BLOCK_BYTES]):
        return TAR, None
    known: ArchiveFormat = choose_format(str(path), beginning, options, format_name)
    try:
        return known.name, known.reader(beginning, options)
    except Failure as failure:
        raise Failure(f"{path}: {failure}") from failure


def _hashed(file: ArchiveFile, on_read: Callable[[int], None]) -> ArchiveFile:
    if file.stream is not None:
        return file
    try:
        return replace(file, sha256=file_sha256(file.path, on_read))
    except OSError as error:
        raise Failure(f"{file.path}: {error.strerror}") from error
