"""Rows with CSV quoting (RFC 4180), where a quoted cell may hold line breaks."""

import csv
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from producers.archives.records import Lines, Record
from producers.parsing.faults import Unparsable
from schemas.codec import Reason
from schemas.label_files.delimited import csv_rows, unescaped

MAX_ROW_LINES: Final = 1_000
"""A quote that is still open after so many lines was never meant to open a cell."""

MAX_ROW_BYTES: Final = 8 * 1024 * 1024

QUOTED_READING: Final = " rows=3"
"""Tells rows from those of the reading before, which took other lines together."""

_CREDIT_A_ROW: Final = 4
_MOST_CREDIT: Final = 20_000
"""Lines that may be read ahead in vain, four more for each row: quotes that open again and again
would have every row read a thousand lines."""


def quoted_records(
    lines: Lines,
    delimiter: str,
    *,
    is_row: Callable[[bytes], bool] | None = None,
    escaped: bool = False,
) -> Iterator[Record]:
    """Join the lines of each row.

    A line whose quotes are not closed within `MAX_ROW_LINES` and `MAX_ROW_BYTES`, or before the end
    of the file, is a record by itself, and reading goes on at the next line: one stray quote costs
    one line. So it is where the lines that a quote would join are rows by themselves, as `is_row`
    knows them. With `escaped`, backslashes escape quotes. Where stray quotes are many, fewer lines
    are looked at, so that a row never costs more than some lines.
    """
    ahead: deque[Record] = deque()
    credit = _MOST_CREDIT

    def following() -> Record | None:
        return ahead.popleft() if ahead else next(lines, None)

    while (line := following()) is not None:
        credit = min(credit + _CREDIT_A_ROW, _MOST_CREDIT)
        if line.unreadable is not None or b'"' not in line.raw:
            yield line
            continue
        taken = [line]
        most_lines = min(MAX_ROW_LINES, 1 + credit)

        def supply(taken: list[Record] = taken, most_lines: int = most_lines) -> Iterator[str]:
            yield _text_of(taken[0].raw, escaped=escaped)
            size_bytes = len(taken[0].raw)
            while len(taken) < most_lines and (line := following()) is not None:
                taken.append(line)
                size_bytes += len(line.raw)
                if line.unreadable is not None or size_bytes > MAX_ROW_BYTES:
                    return
                yield _text_of(line.raw, escaped=escaped)

        try:
            next(csv_rows(supply(), delimiter))
            is_whole = True
        except csv.Error:
            is_whole = False
        if is_whole and is_row is not None and len(taken) > 1:
            is_whole = not all(is_row(part.raw) for part in taken[1:])
        if is_whole:
            yield Record(line.line, b"\n".join([part.raw for part in taken]))
        else:
            ahead.extendleft(reversed(taken[1:]))
            credit = max(credit - len(taken), 0)
            yield line


def cells_of(
    raw: bytes,
    delimiter: str,
    *,
    quoting: bool,
    escaped: bool = False,
    otherwise: str | None = None,
) -> list[str]:
    """Return the cells of a row; raise `Unparsable` where it is none.

    With `escaped`, backslashes escape the quotes within quoted cells. `otherwise` is the encoding
    of rows that are no UTF-8; without one they are refused.
    """
    text = row_text(raw, otherwise)
    if not quoting or '"' not in text:
        return text.split(delimiter)
    if escaped:
        text = unescaped(text)
    try:
        return next(csv_rows(text.split("\n"), delimiter))[1]
    except csv.Error as error:
        raise Unparsable(Reason.UNREADABLE_LINE, f"not valid CSV quoting: {error}") from None


def row_text(raw: bytes, otherwise: str | None = None) -> str:
    """Return a row as text; raise `Unparsable` for what is no UTF-8, unless `otherwise` is given.

    Lone surrogates are kept: what may be stored is decided where a text becomes a tweet's.
    """
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        if otherwise is None:
            detail = f"not valid UTF-8 at byte {error.start}"
            raise Unparsable(Reason.UNREADABLE_LINE, detail) from None
        return raw.decode(otherwise)


def _text_of(raw: bytes, *, escaped: bool) -> str:
    text = raw.decode(errors="replace")
    return unescaped(text) if escaped else text
