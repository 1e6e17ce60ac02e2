"""JSON with named columns, as data sets are kept; the rows of a Parquet file too."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from producers.archives.json_elements import json_elements
from producers.archives.records import SplitLines
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_sniffing import JsonLayout, first_objects, json_layout
from producers.formats.named_values import COLUMNS
from producers.formats.rows import Row, RowReader, each_line
from producers.formats.table_columns import TableColumns, listed, table_columns
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from schemas.codec import Reason
from schemas.failures import Failure


def _row(raw: bytes, *, read: Mapping[str, str]) -> Row:
    values = plain_json(raw)
    if not isinstance(values, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the row is not a JSON object")
    return Row({known: values.get(name) for known, name in read.items()})


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    text = dict(options.mapping).get("text", "text")
    return any(
        isinstance(row.get(text), str) and ("label" in row or bool(options.mapping))
        for row in first_objects(beginning)
    )


def _reader(beginning: bytes, options: FormatOptions) -> RowReader:
    layout = json_layout(beginning)
    names = layout.fields
    columns = table_columns(names, options.mapping) if layout.objects else TableColumns()
    if layout.objects and "text" not in columns.read and (names or not layout.is_cut):
        found = f", but {listed(names)}" if names else ""
        raise Failure(f"there is no column named text{found}: name it with --columns text=NAME")
    # A field that the first rows lack may come in a later one.
    mapped = {known for known, _ in options.mapping}
    read = {known: known for known in COLUMNS if known not in mapped} | dict(columns.read)
    return RowReader(
        _split(layout),
        partial(_row, read=read),
        columns,
        options.day_order,
        reading=layout.described + "".join(f" {known}={n}" for n, known in columns.taken_for),
        in_parts=not layout.a_document_a_line,
    )


def _split(layout: JsonLayout) -> SplitLines:
    return each_line if layout.a_document_a_line else partial(json_elements, under=layout.under)


JSON_COLUMNS: Final = ArchiveFormat(
    "json-columns",
    "JSON lines and Parquet with columns id, text, label, created_at, lang, author_id",
    _recognises,
    _reader,
)
