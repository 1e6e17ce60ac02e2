"""JSON lines with named columns, as data sets are kept; the rows of a Parquet file too."""

from collections.abc import Mapping
from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_beginning import first_objects
from producers.formats.rows import Row, RowReader, each_line
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from schemas.codec import Reason
from schemas.failures import Failure


def _row(raw: bytes) -> Row:
    values = plain_json(raw)
    if not isinstance(values, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the row is not a JSON object")
    return Row(values)


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return any(
        isinstance(line.get("text"), str) and "label" in line for line in first_objects(beginning)
    )


def _reader(beginning: bytes, _options: FormatOptions) -> RowReader:
    rows = first_objects(beginning)
    if rows and not any("text" in row for row in rows):
        raise Failure("there is no column named text")
    return RowReader(each_line, _row)


JSON_COLUMNS: Final = ArchiveFormat(
    "json-columns",
    "JSON lines and Parquet with columns id, text, label, created_at, lang, author_id",
    _recognises,
    _reader,
)
