"""X's API 1.1: a tweet or a control line of a stream on each line, as in Spritzer archives."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.archives.records import Lines, Record
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_beginning import first_objects
from producers.parsing.provenance import Origin, Parsed
from producers.x_api.v1_1_documents import CONTROLS, parse_old_document


@dataclass(frozen=True)
class XV11Reader:
    """Reads documents of X's API 1.1, each a line."""

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield each line."""
        return lines

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return what a document holds."""
        return parse_old_document(record.raw, origin, received_at, record.line, record.place)


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return any(
        "id_str" in line
        or "full_text" in line
        or isinstance(line.get("user"), dict)
        or (len(line) == 1 and not CONTROLS.isdisjoint(line))
        for line in first_objects(beginning)
        if "data" not in line
    )


X_V1_1: Final = ArchiveFormat(
    "x-v1.1",
    "X API 1.1: JSON lines with a stream's control lines (Internet Archive's Spritzer)",
    _recognises,
    lambda _beginning, _options: XV11Reader(),
)
