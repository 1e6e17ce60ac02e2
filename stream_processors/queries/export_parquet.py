"""Exported tweets as Parquet."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import BinaryIO, Final

import pyarrow as pa
from pyarrow import parquet

from stream_processors.queries.export_rows import ExportRow
from stream_processors.queries.export_text import columns, values

_ROWS_IN_A_GROUP: Final = 10_000

_TIME: Final = ("posted_at", "edited_at", "scored_at")
_LISTS: Final = ("rules", "hashtags")


def schema_of(labels: Sequence[str]) -> pa.Schema:
    """Return the schema: the columns of the CSV.

    Texts and ids are strings, `version` int16, times timestamps in microseconds and UTC,
    `confidence` and each `probability_<label>` float64, `rules` and `hashtags` lists of strings.
    """

    def type_of(name: str) -> pa.DataType:
        if name in _TIME:
            return pa.timestamp("us", tz="UTC")
        if name in _LISTS:
            return pa.list_(pa.string())
        if name == "version":
            return pa.int16()
        if name == "language_known":
            return pa.bool_()
        is_number = name == "confidence" or name not in ExportRow._fields
        return pa.float64() if is_number else pa.string()

    return pa.schema([(name, type_of(name)) for name in columns(labels)])


def write_parquet(rows: Iterable[ExportRow], labels: Sequence[str], file: BinaryIO) -> int:
    """Write row groups of 10,000 tweets, compressed with zstd; return how many tweets."""
    schema = schema_of(labels)
    remaining = iter(rows)
    written = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := [values(row, labels) for row in islice(remaining, _ROWS_IN_A_GROUP)]:
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(zip(*group, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            written += len(group)
    return written
