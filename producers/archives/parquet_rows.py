"""A Parquet file as JSON lines, read a batch of rows at a time."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from producers.archives.compression import DamagedFile

_BATCH_ROWS: Final = 1_000
_BUFFER_BYTES: Final = 1024 * 1024


def parquet_rows(file: BinaryIO, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield the named columns of each row as a line of JSON, as far as the file has them.

    Texts that are stored as bytes have U+FFFD for what is no UTF-8.

    The file must be able to seek. Row groups are read in parts, so that memory does not grow with
    them. Raises `DamagedFile` where the file cannot be read, after what came before.
    """
    try:
        with pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False) as table:
            known = [name for name in columns if name in table.schema_arrow.names]
            for batch in table.iter_batches(_BATCH_ROWS, columns=known, use_threads=False):
                yield _lines(batch)
    except (pa.ArrowException, OSError, EOFError) as error:
        # What Arrow says may go over several lines, and its first says what is wrong.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedFile(f"damaged Parquet file: {reason}") from error


def _lines(batch: pa.RecordBatch) -> bytes:
    names = batch.schema.names
    values = [_plain(batch.column(name)) for name in names]
    rows = zip(*values, strict=True) if values else [()] * batch.num_rows
    return msgspec.json.Encoder().encode_lines([dict(zip(names, row, strict=True)) for row in rows])


def _plain(column: pa.Array) -> list[object]:
    """Return what JSON has: times in milliseconds since 1970, bytes as the UTF-8 that they are."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        # Python cannot hold every time that Arrow can.
        milliseconds = pc.cast(column, pa.timestamp("ms", kind.tz), safe=False)
        column = pc.cast(milliseconds, pa.int64())
    values: list[object] = column.to_pylist()
    return [each.decode(errors="replace") if isinstance(each, bytes) else each for each in values]
