"""Rows with CSV quoting (RFC 4180), where a quoted cell may hold line breaks."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final

from producers.archives.records import Lines, Record
from producers.parsing.faults import Unparsable
from schemas.codec import Reason
from schemas.label_files.delimited import csv_rows

MAX_ROW_LINES: Final = 1_000
"""A quote that is still open after so many lines was never meant to open a cell."""


def quoted_records(lines: Lines, delimiter: str) -> Iterator[Record]:
    """Join the lines of each row.

    A line whose quotes are not closed within `MAX_ROW_LINES`, or before the end of the file, is a
    record by itself, and reading goes on at the next line: one stray quote costs one line.
    """
    ahead: deque[Record] = deque()

    def following() -> Record | None:
        return ahead.popleft() if ahead else next(lines, None)

    while (line := following()) is not None:
        if line.unreadable is not None or b'"' not in line.raw:
            yield line
            continue
        taken = [line]

        def supply(taken: list[Record] = taken) -> Iterator[str]:
            yield _text_of(taken[0].raw)
            while len(taken) < MAX_ROW_LINES and (line := following()) is not None:
                taken.append(line)
                if line.unreadable is not None:
                    return
                yield _text_of(line.raw)

        try:
            next(csv_rows(supply(), delimiter))
        except csv.Error:
            ahead.extendleft(reversed(taken[1:]))
            yield line
        else:
            yield Record(line.line, b"\n".join([part.raw for part in taken]))


def cells_of(
    raw: bytes, delimiter: str, *, quoting: bool, otherwise: str | None = None
) -> list[str]:
    """Return the cells of a row; raise `Unparsable` where it is none.

    `otherwise` is the encoding of rows that are no UTF-8; without one they are refused.
    """
    text = row_text(raw, otherwise)
    if not quoting or '"' not in text:
        return text.split(delimiter)
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


def _text_of(raw: bytes) -> str:
    return raw.decode(errors="replace")
