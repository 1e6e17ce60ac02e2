"""X's API v2: JSON lines, or one pretty-printed page a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from producers.archives.lines import KEPT_BYTES
from producers.archives.records import Lines, Record, Unreadable
from producers.border.origin import Origin, Parsed
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.x_api.documents import parse_document
from schemas.codec import Reason

MAX_PAGE_BYTES: Final = 64 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


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


def _looks_like_lines(beginning: bytes) -> bool:
    first, second = _first_lines(beginning)
    return first.startswith(b"{") and (
        not second or second.startswith(b"{") or _is_json_object(first)
    )


def _looks_like_page(beginning: bytes) -> bool:
    first, second = _first_lines(beginning)
    return first.startswith(b"{") and bool(second) and not _looks_like_lines(beginning)


def _first_lines(beginning: bytes) -> tuple[bytes, bytes]:
    filled = [line for line in beginning.removeprefix(_BOM).splitlines() if line.strip()]
    first, second, *_ = (*filled[:2], b"", b"")
    return first.lstrip(), second


def _is_json_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return _looks_like_lines(beginning) or _looks_like_page(beginning)


def _reader(beginning: bytes, _options: FormatOptions) -> XV2Reader:
    return XV2Reader(is_page=_looks_like_page(beginning))


X_V2: Final = ArchiveFormat(
    "x-v2", "X API v2: JSON lines, or a page that fills the file", _recognises, _reader
)
