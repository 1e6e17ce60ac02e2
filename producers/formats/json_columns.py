"""JSON lines with named columns, as data sets are kept; the rows of a Parquet file too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.archives.records import Lines, Record
from producers.border.faults import Unparsable
from producers.border.json_values import plain_json
from producers.border.origin import Origin, Parsed
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.delimited import BLANK_LINE
from producers.formats.json_beginning import first_objects
from producers.formats.named_values import tweet_of_values
from schemas.codec import Reason
from schemas.failures import Failure


@dataclass(frozen=True)
class JsonColumnsReader:
    """Reads objects with the columns of a CSV file as their fields."""

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield each line."""
        return lines

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return the tweet of a row."""
        if not record.raw.strip():
            return Parsed(skipped=[BLANK_LINE])
        row = plain_json(record.raw)
        if not isinstance(row, Mapping):
            raise Unparsable(Reason.INVALID_EVENT, "the row is no JSON object")
        tweet = tweet_of_values(
            row, origin=origin, received_at=received_at, line=record.line, place=record.place
        )
        return Parsed([tweet])


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return any(
        isinstance(line.get("text"), str) and "label" in line for line in first_objects(beginning)
    )


def _reader(beginning: bytes, _options: FormatOptions) -> JsonColumnsReader:
    rows = first_objects(beginning)
    if rows and not any("text" in row for row in rows):
        raise Failure("there is no column text")
    return JsonColumnsReader()


JSON_COLUMNS: Final = ArchiveFormat(
    "json-columns",
    "JSON lines and Parquet with columns id, text, label, created_at, lang, author_id",
    _recognises,
    _reader,
)
