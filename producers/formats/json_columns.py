"""JSON with named columns, as data sets are kept; the rows of a Parquet file too."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from producers.archives.json_elements import json_elements
from producers.archives.records import SplitLines
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.data_frames import frame_rows
from producers.formats.json_sniffing import JsonLayout, first_objects, json_layout
from producers.formats.json_wrapping import Wrapping
from producers.formats.named_values import COLUMNS
from producers.formats.other_names import text_like
from producers.formats.rows import Row, RowReader, each_line
from producers.formats.table_columns import TableColumns, listed, table_columns
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from schemas.codec import Reason
from schemas.failures import Failure


def _row(raw: bytes, *, read: Mapping[str, str], fuller: str | None, wrapping: Wrapping) -> Row:
    values = plain_json(wrapping.bare(raw) if wrapping else raw)
    if not isinstance(values, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the row is not a JSON object")
    found = {known: values.get(name) for known, name in read.items()}
    text, whole = found["text"], values.get(fuller) if fuller is not None else None
    if isinstance(whole, str) and len(whole) > len(text if isinstance(text, str) else ""):
        found["text"] = whole
    return Row(found)


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    text = dict(options.mapping).get("text", "text")
    if json_layout(beginning).frame in {"columns", "split"}:
        return True
    return any(
        isinstance(row.get(text), str) and ("label" in row or bool(options.mapping))
        for row in first_objects(beginning)
    )


def _reader(beginning: bytes, options: FormatOptions) -> RowReader:
    layout = json_layout(beginning)
    names = layout.fields
    columns = TableColumns()
    if layout.objects:
        columns = table_columns(names, options.mapping, layout.objects)
        taken = (*layout.wrapping.taken_for, *columns.taken_for)
        columns = replace(columns, taken_for=taken)
    # A data frame by columns may begin with one that is longer than what is looked at.
    is_known = not layout.is_cut or (bool(names) and layout.frame is None)
    if layout.objects and "text" not in columns.read and is_known:
        found = f", but {listed(names)}" if names else ""
        meant = text_like(names, layout.objects) or "NAME"
        raise Failure(f"there is no column named text{found}: name it with --columns text={meant}")
    # A field that the first rows lack may come in a later one.
    mapped = {known for known, _ in options.mapping}
    read = {known: known for known in COLUMNS if known not in mapped} | dict(columns.read)
    return RowReader(
        _split(layout),
        partial(_row, read=read, fuller=columns.fuller, wrapping=layout.wrapping),
        columns,
        options.day_order,
        reading=layout.described + "".join(f" {known}={name}" for known, name in _taken(columns)),
        in_parts=not layout.a_document_a_line,
    )


def _taken(columns: TableColumns) -> list[tuple[str, str]]:
    return [(known, name) for known, name in columns.read.items() if known != name]


def _split(layout: JsonLayout) -> SplitLines:
    if layout.frame is not None:
        return partial(frame_rows, orient=layout.frame)
    return each_line if layout.a_document_a_line else partial(json_elements, under=layout.under)


JSON_COLUMNS: Final = ArchiveFormat(
    "json-columns",
    "JSON lines and Parquet with columns id, text, label, created_at, lang, author_id",
    _recognises,
    _reader,
)
