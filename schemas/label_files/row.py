"""A row of a label file, and what may be wrong with one."""

from enum import StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """Why a row of a label file is left out."""

    UNKNOWN_LABEL = "unknown label"
    EMPTY_TEXT = "empty text"
    NOT_AVAILABLE = "text not available"
    MISSING_COLUMN = "missing column"
    SURPLUS_COLUMN = "more columns than the header (quote texts with commas, take tabs out)"


class LabelRow(NamedTuple):
    """A row as its format has it; None for a column that is missing.

    `text` is what the person wrote: the escapes and quotes of the file's format are undone. HTML
    entities, which X itself writes, are left. `id` and `label` are as they stand in the file.
    With `has_surplus` the row has more than its header names, and which part is which is not sure.
    """

    text: str | None
    label: str | None
    id: str | None = None
    has_surplus: bool = False


def fault_of_text(row: LabelRow) -> Fault | None:
    """Return what is wrong with a row's text, None where nothing is.

    `Not Available` stands where a text was gone already when the file was made.
    """
    if row.has_surplus:
        return Fault.SURPLUS_COLUMN
    if row.text is None:
        return Fault.MISSING_COLUMN
    text = row.text.strip()
    if not text:
        return Fault.EMPTY_TEXT
    return Fault.NOT_AVAILABLE if text == "Not Available" else None
