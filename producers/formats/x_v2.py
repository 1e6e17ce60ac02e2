"""X's API v2: JSON lines, pages over many lines, and arrays of tweets."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_documents import document_reader
from producers.formats.json_sniffing import first_lines, json_layout
from producers.formats.known_fields import FIELDS_OF_V2
from producers.formats.v2_pages import tweets_of_page
from producers.parsing.provenance import Origin, Parsed
from producers.x_api.v2_documents import parse_document

MAX_PAGE_BYTES: Final = 64 * 1024 * 1024
"""A page is read whole, since what it includes stands behind what that completes; of a larger one
no tweet is read."""


def parse_placed(
    raw: bytes, origin: Origin, received_at: datetime, line: int, place: int
) -> Parsed:
    """Return what a document holds; one that begins on another's line has ids of its own."""
    if place:
        origin = replace(origin, content=f"{origin.content}:{place}")
    return parse_document(raw, origin, received_at, line)


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    # One of the first lines may well be broken; that must not hide what the file is.
    return first_lines(beginning)[0].startswith(b"{") or bool(json_layout(beginning).objects)


X_V2: Final = ArchiveFormat(
    "x-v2",
    "X API v2: JSON lines, pages, or arrays of tweets",
    _recognises,
    lambda beginning, _options: document_reader(
        beginning,
        parse_placed,
        MAX_PAGE_BYTES,
        known_fields=FIELDS_OF_V2,
        take_apart=tweets_of_page,
    ),
)
