"""Cells of a CSV that no spreadsheet runs as formulas."""

from typing import Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    A cell that begins with a character that starts formulas (OWASP, CSV injection) or with an
    apostrophe gets an apostrophe in front: taking one leading apostrophe away gives the text back.
    """
    return f"'{cell}" if cell.startswith((*_FORMULA_STARTS, "'")) else cell


def unguarded(cell: str) -> str:
    """Return the text of a cell that may have gone through `guarded`.

    An apostrophe in front of anything else, as somebody wrote it by hand, stays.
    """
    return cell[1:] if cell.startswith("'") and guarded(cell[1:]) == cell else cell
