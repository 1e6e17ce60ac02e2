"""A file's content in pieces, whatever it is wrapped in."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from producers.archives.compression import beginning_of, decompressed

_PARQUET: Final = b"PAR1"


def is_parquet(beginning: bytes) -> bool:
    """Tell whether a file begins as a Parquet file does."""
    return beginning.startswith(_PARQUET)


def content_of(file: BinaryIO, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield a file's content decompressed, or the named columns of a Parquet file as JSON lines.

    The file stands at its start. A Parquet file that cannot seek is copied to the disk first.
    Raises `DamagedFile` after what can be read, and `OSError` where the disk fails.
    """
    if is_parquet(beginning_of(file)):
        yield from _rows(file, columns)
    else:
        yield from decompressed(file)


def _rows(file: BinaryIO, columns: Sequence[str]) -> Iterator[bytes]:
    # Arrow takes 40 MB, which all other archives do without.
    from producers.archives.parquet_rows import parquet_rows

    if file.seekable():
        yield from parquet_rows(file, columns)
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield from parquet_rows(copy, columns)
