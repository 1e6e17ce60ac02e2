"""X's API v2: JSON lines, or one pretty-printed page a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.archives.lines import KEPT_BYTES
from producers.archives.records import Lines, Record, Unreadable
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_beginning import first_lines, first_objects
from producers.parsing.provenance import Origin, Parsed
from producers.x_api.documents import parse_document
from schemas.codec import Reason

MAX_PAGE_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class XV2Reader:
    """Reads documents of X's API v2, each a line or, where `is_page`, one over the whole file."""

    is_page: bool

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield each line, or the one page; a page above `MAX_PAGE_BYTES` is unreadable."""
        return whole_page(lines) if self.is_page else lines

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return what a document holds."""
        return parse_document(record.raw, origin, received_at, record.line)


def whole_page(lines: Lines, max_page_bytes: int = MAX_PAGE_BYTES) -> Iterator[Record]:
    """Yield all lines as one record; unreadable where one of them is, or where it is too large."""
    page = bytearray()
    unreadable = None
    for line in lines:
        page += line.raw + b"\n"
        if len(page) > max_page_bytes:
            detail = f"the page is larger than {max_page_bytes} bytes"
            unreadable = Unreadable(Reason.TOO_LARGE, detail)
        unreadable = unreadable or line.unreadable
        if unreadable is not None:
            del page[KEPT_BYTES:]
            # What follows is read for nothing but to learn whether the file is whole.
            for _ in lines:
                pass
    yield Record(1, bytes(page), unreadable)


def _looks_like_page(beginning: bytes) -> bool:
    first, *others = first_lines(beginning)
    return bool(others) and first.startswith(b"{") and first.endswith((b"{", b"[", b","))


def _looks_like_lines(beginning: bytes) -> bool:
    # One of the first lines may well be broken; that must not hide what the file is.
    return first_lines(beginning)[0].startswith(b"{") or bool(first_objects(beginning))


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return _looks_like_lines(beginning) or _looks_like_page(beginning)


def _reader(beginning: bytes, _options: FormatOptions) -> XV2Reader:
    return XV2Reader(is_page=_looks_like_page(beginning))


X_V2: Final = ArchiveFormat(
    "x-v2", "X API v2: JSON lines, or a page that fills the file", _recognises, _reader
)
