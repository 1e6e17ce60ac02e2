"""A file's content in pieces, whatever it is wrapped in."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from producers.archives.compression import decompressed
from producers.archives.parquet_rows import MAGIC, parquet_rows


def is_parquet(file: BinaryIO) -> bool:
    """Tell whether a file that can seek, opened at its start, is a Parquet file."""
    beginning = file.read(len(MAGIC))
    file.seek(0)
    return beginning == MAGIC


def content_of(file: BinaryIO, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield a file's content decompressed, or the named columns of a Parquet file as JSON lines.

    The file can seek and stands at its start. Raises `DamagedFile` after what can be read.
    """
    return parquet_rows(file, columns) if is_parquet(file) else decompressed(file)
