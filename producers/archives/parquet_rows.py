"""A Parquet file as JSON lines, read a batch of rows at a time, each row turned by itself."""

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from producers.archives.expansion import DamagedFile, Expansion
from producers.archives.parquet_pages import MAX_PAGE_BYTES, OF_DICTIONARY, PLAIN, Page, pages
from producers.archives.spelling import squashed

_BATCH_ROWS: Final = 1_000
_MAX_BATCH_BYTES: Final = 16 * 1024 * 1024
_BUFFER_BYTES: Final = 1024 * 1024
_PIECE_BYTES: Final = 128 * 1024
_MAX_FOOTER_BYTES: Final = 8 * 1024 * 1024
_MAX_FIXED_BYTES: Final = 64 * 1024
_END_BYTES: Final = 8
"""The footer's size in four bytes, and the file's mark."""


def parquet_rows(file: BinaryIO, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield the named columns of each row as a line of JSON, as far as the file has them.

    They may be spelled otherwise there, as `createdAt` for `created_at`. Texts that are stored as
    bytes have U+FFFD for what is no UTF-8. Columns of lists and the like are left out.

    The file must be able to seek. Row groups are read in parts, so that memory does not grow with
    them, nor with what little bytes unpack to. Raises `DamagedFile` where the file cannot be read,
    or unpacks to what no archive does, after what came before.
    """
    try:
        expansion = Expansion(_checked_size(file))
        with pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False) as table:
            spelled = set(map(squashed, columns))
            schema = table.schema_arrow
            known = [
                name
                for name in dict.fromkeys(schema.names)
                if squashed(name) in spelled and _is_flat(schema, name)
            ]
        for group in _groups(file, known):
            yield from expansion.bounded(_rows_of(file, known, group))
    except (pa.ArrowException, OSError, EOFError) as error:
        # What Arrow says may go over several lines, and its first says what is wrong.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedFile(f"damaged Parquet file: {reason}") from error


def parquet_columns(file: BinaryIO) -> tuple[str, ...]:
    """Return the names of all columns; none where the file cannot be read. It must seek."""
    try:
        _checked_size(file)
        file.seek(0)
        return tuple(pq.read_schema(file).names)
    except (pa.ArrowException, OSError, EOFError, DamagedFile):
        return ()


def _checked_size(file: BinaryIO) -> int:
    size_bytes = file.seek(0, os.SEEK_END)
    if size_bytes > _END_BYTES:
        file.seek(-_END_BYTES, os.SEEK_END)
        footer_bytes = int.from_bytes(file.read(4), "little")
        if footer_bytes > _MAX_FOOTER_BYTES:
            raise DamagedFile(f"damaged Parquet file: its footer would have {footer_bytes} bytes")
    file.seek(0)
    return size_bytes


def _is_flat(schema: pa.Schema, name: str) -> bool:
    if name not in schema.names or schema.get_field_index(name) < 0:
        return False
    kind = schema.field(name).type
    fixed = pa.types.is_fixed_size_binary(kind) and kind.byte_width > _MAX_FIXED_BYTES
    return not pa.types.is_nested(kind) and not fixed


class _Group(NamedTuple):
    """A row group: how many of its rows may be read at once, and which columns as dictionaries.

    A dictionary stays one: written out, a long text of it would stand there for every row.
    """

    number: int
    batch_rows: int
    dictionaries: tuple[str, ...]


def _groups(file: BinaryIO, known: Sequence[str]) -> Iterator[_Group]:
    metadata = pq.read_metadata(file)
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = [group.column(place) for place in range(group.num_columns)]
        largest_bytes = 1
        dictionaries = []
        for chunk in chunks:
            name = chunk.path_in_schema
            if name not in known:
                continue
            found = list(_checked_pages(file, chunk))
            encodings = {page.encoding for page in found} - {None}
            if encodings <= OF_DICTIONARY:
                dictionaries.append(name)
            elif encodings != {PLAIN}:
                # Any row may have the longest text of the dictionary, or all that is written of
                # the others before it.
                largest_bytes = max([largest_bytes, *(page.longest_bytes for page in found)])
        batch_rows = max(1, min(_BATCH_ROWS, _MAX_BATCH_BYTES // max(1, largest_bytes)))
        yield _Group(number, batch_rows, tuple(dictionaries))


def _checked_pages(file: BinaryIO, chunk: "pq.ColumnChunkMetaData") -> Iterator[Page]:
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    for page in pages(file, start, chunk.total_compressed_size):
        if page.unpacked_bytes > MAX_PAGE_BYTES:
            raise DamagedFile(
                f"a page of its column {chunk.path_in_schema} unpacks to {page.unpacked_bytes:,} "
                f"bytes, at most {MAX_PAGE_BYTES:,} are held in memory"
            )
        yield page


def _rows_of(file: BinaryIO, known: Sequence[str], group: _Group) -> Iterator[bytes]:
    file.seek(0)
    with pq.ParquetFile(
        file, buffer_size=_BUFFER_BYTES, pre_buffer=False, read_dictionary=group.dictionaries
    ) as table:
        for batch in table.iter_batches(
            group.batch_rows, row_groups=[group.number], columns=list(known), use_threads=False
        ):
            yield from _lines(batch)


def _lines(batch: pa.RecordBatch) -> Iterator[bytes]:
    names = batch.schema.names
    values = [_plain(batch.column(number)) for number in range(len(names))]
    rows = zip(*values, strict=True) if values else iter([()] * batch.num_rows)
    encode = msgspec.json.Encoder().encode
    lines: list[bytes] = []
    size_bytes = 0
    for row in rows:
        lines.append(encode(dict(zip(names, row, strict=True))) + b"\n")
        size_bytes += len(lines[-1])
        if size_bytes >= _PIECE_BYTES:
            yield b"".join(lines)
            lines.clear()
            size_bytes = 0
    if lines:
        yield b"".join(lines)


def _plain(column: pa.Array) -> list[object]:
    """Return what JSON has: times in milliseconds since 1970, bytes as the UTF-8 that they are.

    The values of a dictionary are made once, however many rows have them.
    """
    if isinstance(column, pa.DictionaryArray):
        used = pc.unique(column.indices.drop_null())
        known = dict(zip(used.to_pylist(), _plain(column.dictionary.take(used)), strict=True))
        return [known.get(each) for each in column.indices.to_pylist()]
    kind = column.type
    if pa.types.is_timestamp(kind):
        # Python cannot hold every time that Arrow can.
        milliseconds = pc.cast(column, pa.timestamp("ms", kind.tz), safe=False)
        column = pc.cast(milliseconds, pa.int64())
    values: list[object] = column.to_pylist()
    return [each.decode(errors="replace") if isinstance(each, bytes) else each for each in values]
