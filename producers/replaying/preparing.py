"""Looking at files before anything is published: their format, and which files they are."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from producers.archives.compression import DamagedFile, decompressed
from producers.archives.fingerprint import file_sha256
from producers.formats.archive_format import ArchiveFormat, ArchiveReader, FormatOptions
from producers.formats.registry import SNIFFED_BYTES, choose_format
from producers.replaying.plan import ArchiveFile
from schemas.failures import Failure


def prepare_files(
    paths: Sequence[Path],
    options: FormatOptions,
    format_name: str | None,
    on_read: Callable[[int], None] = lambda _bytes: None,
) -> list[ArchiveFile]:
    """Return the files with format and hash; raise `Failure` before a byte of any is published.

    All formats are told first: hashing reads every file once (`on_read` gets the sizes in bytes).
    """
    chosen = [_with_reader(path, options, format_name) for path in paths]
    files = []
    for path, (known, reader) in zip(paths, chosen, strict=True):
        try:
            sha256 = file_sha256(path, on_read)
        except OSError as error:
            raise Failure(f"{path}: {error.strerror}") from error
        files.append(ArchiveFile(path, sha256, path.stat().st_size, known, reader))
    return files


def _with_reader(
    path: Path, options: FormatOptions, format_name: str | None
) -> tuple[ArchiveFormat, ArchiveReader]:
    beginning = _beginning(path)
    known = choose_format(str(path), beginning, options, format_name)
    try:
        return known, known.reader(beginning, options)
    except Failure as failure:
        raise Failure(f"{path}: {failure}") from failure


def _beginning(path: Path) -> bytes:
    """The file's first bytes, decompressed, as far as they are whole."""
    beginning = b""
    try:
        with path.open("rb") as file:
            for piece in islice(decompressed(file), SNIFFED_BYTES):
                beginning += piece
                if len(beginning) >= SNIFFED_BYTES:
                    break
    except DamagedFile:
        pass
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    return beginning[:SNIFFED_BYTES]
