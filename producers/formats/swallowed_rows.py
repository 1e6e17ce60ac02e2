"""Rows that a stray quote would take into a text, told from texts of several lines."""

from collections.abc import Callable, Mapping
from typing import Final

from producers.formats.quoted_rows import cells_of
from producers.parsing.faults import Unparsable
from producers.parsing.field_values import unmarked_id
from producers.parsing.timestamps import parse_moment

_FEWEST_DIGITS: Final = 5
_FEWEST_LINES: Final = 3
_FEWEST_COLUMNS: Final = 3


def row_test(
    places: Mapping[str, int], width: int, delimiter: str
) -> Callable[[bytes], bool] | None:
    """Return what tells a row by its id or date; None for tables that have neither column."""
    own_id, date = places.get("id"), places.get("created_at")
    if width < 2 or (own_id is None and date is None):
        return None

    def is_row(raw: bytes) -> bool:
        cells = _cells(raw, width, delimiter)
        return cells is not None and (
            (own_id is not None and _is_id(cells[own_id]))
            or (date is not None and _is_date(cells[date]))
        )

    return is_row


def lines_like_rows(raw: bytes, width: int, delimiter: str) -> int:
    """Return how many lines within a row may be rows that a stray quote took in; 0 where few are.

    They have as many columns, which texts of several lines may have too: it is no proof.
    """
    lines = raw.split(b"\n")[1:]
    if len(lines) < _FEWEST_LINES:
        return 0
    alike = sum(line.count(delimiter.encode()) == width - 1 for line in lines)
    needed = len(lines) if width < _FEWEST_COLUMNS else len(lines) // 2
    return alike if alike >= max(needed, _FEWEST_LINES) else 0


def _cells(raw: bytes, width: int, delimiter: str) -> list[str] | None:
    for quoting in (False, True):
        try:
            cells = cells_of(raw, delimiter, quoting=quoting)
        except Unparsable:
            return None
        if len(cells) == width:
            return cells
    return None


def _is_id(cell: str) -> bool:
    digits = unmarked_id(cell.strip().strip('"'))
    return digits.isdecimal() and len(digits) >= _FEWEST_DIGITS


def _is_date(cell: str) -> bool:
    try:
        parse_moment(cell.strip().strip('"'), "created_at")
    except Unparsable:
        return False
    return True
