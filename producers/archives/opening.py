"""A file's content in pieces, whatever it is wrapped in."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from producers.archives.compression import decompressed

_PARQUET: Final = b"PAR1"


def is_parquet(file: BinaryIO) -> bool:
    """Tell whether a file that can seek, opened at its start, is a Parquet file."""
    beginning = file.read(len(_PARQUET))
    file.seek(0)
    return beginning == _PARQUET


def content_of(file: BinaryIO, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield a file's content decompressed, or the named columns of a Parquet file as JSON lines.

    The file can seek and stands at its start. Raises `DamagedFile` after what can be read.
    """
    if is_parquet(file):
        # Arrow takes 40 MB, which all other archives do without.
        from producers.archives.parquet_rows import parquet_rows

        return parquet_rows(file, columns)
    return decompressed(file)
