"""X's API 1.1: a tweet or a control line of a stream on each line, as in Spritzer archives."""

from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_documents import document_reader
from producers.formats.json_sniffing import first_objects
from producers.formats.known_fields import FIELDS_OF_V1_1
from producers.x_api.v1_1_documents import CONTROLS, parse_old_document


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
    lambda beginning, _options: document_reader(
        beginning, parse_old_document, known_fields=FIELDS_OF_V1_1
    ),
)
