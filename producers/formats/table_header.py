"""The header of a table, and what is wrong with one that names no text."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from producers.archives.line_ends import lines_of
from producers.archives.records import Record
from producers.formats.json_sniffing import first_lines
from producers.formats.other_names import TEXTS, first_of, text_like
from producers.formats.quoted_rows import cells_of, quoted_records
from producers.formats.table_columns import listed
from producers.parsing.faults import Unparsable
from schemas.label_files.delimited import unwrapped

_UNREAD: Final = {"|": "bars"}
_DELIMITERS: Final = ("\t", ",", ";", *_UNREAD)
_MOST_LINES_BEFORE: Final = 10
_WORDS: Final = 4
"""What has as many words is a text, no name of a column."""

_NAME: Final = re.compile(r"[^\W\d][\w .:/()#%&?'-]{0,63}")
_LOOKED_AT_BYTES: Final = 64 * 1024
_MOST_ROWS: Final = 50


def first_line(beginning: bytes) -> str:
    """Return the first line that is not blank."""
    lines = lines_of(beginning)
    return next((line for line in lines if line.strip()), b"").decode(errors="replace")


def column_names(header: str, delimiter: str, *, quoting: bool) -> tuple[str, ...]:
    """Return the names in a header as columns are known by them, in lower case.

    Empty ones at its end are no columns.
    """
    try:
        names = cells_of(header.encode(), delimiter, quoting=quoting)
    except Unparsable:
        names = header.split(delimiter)
    known = [name.strip().strip('"').strip().lower() for name in names]
    while len(known) > 1 and not known[-1]:
        known.pop()
    return tuple(known)


def first_rows(
    beginning: bytes,
    delimiter: str,
    names: Sequence[str],
    *,
    quoting: bool,
    escaped: bool = False,
) -> list[dict[str, object]]:
    """Return the first rows below the header, by the names of its columns; whole ones only."""
    rows = []
    lines = lines_of(beginning[:_LOOKED_AT_BYTES])
    whole = [Record(0, line) for line in lines[:-1] if line.strip()][1:]
    records = quoted_records(iter(whole), delimiter, escaped=escaped) if quoting else iter(whole)
    for record in islice(records, _MOST_ROWS):
        try:
            cells = cells_of(record.raw, delimiter, quoting=quoting, escaped=escaped)
        except Unparsable:
            continue
        while len(cells) > len(names) and not cells[-1].strip():
            cells.pop()
        if len(cells) == len(names):
            rows.append(dict[str, object](zip(names, cells, strict=True)))
    return rows


def fault_of_header(beginning: bytes) -> str | None:
    """Return why a table with a header cannot be read, None where the first line is no header."""
    header = first_line(beginning)
    delimiter = max(_DELIMITERS, key=header.count)
    names = column_names(header, delimiter, quoting=True)
    rows = first_lines(beginning)[1:]
    below = _header_below(rows)
    if below is not None:
        return f"its header is line {below} of those that are not blank: remove the lines before it"
    if _is_one_cell(header):
        return (
            "each of its lines is quoted as a whole, as if it was one cell: take off the outer "
            "quotes and make the doubled ones single"
        )
    if (
        len(names) < 2
        or not all(_NAME.fullmatch(name) and name.count(" ") < _WORDS for name in names)
        or any(row.count(delimiter.encode()) < len(names) - 1 for row in rows[:1])
    ):
        return None
    if delimiter in _UNREAD:
        return (
            f"its columns ({listed(names)}) are separated by {_UNREAD[delimiter]}, which are not "
            "supported: use commas, semicolons or tabs"
        )
    if "text" in names or first_of(names, TEXTS) is not None:
        return None
    return fault_of_names(names, first_rows(beginning, delimiter, names, quoting=True))


def _header_below(rows: list[bytes]) -> int | None:
    for number, row in enumerate(rows[:_MOST_LINES_BEFORE], 2):
        header = row.decode(errors="replace")
        if any(_names_a_text(column_names(header, each, quoting=True)) for each in _DELIMITERS):
            return number
    return None


def _names_a_text(names: tuple[str, ...]) -> bool:
    return len(names) > 1 and ("text" in names[1:] or first_of(names[1:], TEXTS) is not None)


def _is_one_cell(header: str) -> bool:
    """Tell whether a header was quoted as a whole, as each row below it."""
    names = column_names(header, "\t", quoting=False)
    inner = column_names(unwrapped(header), ",", quoting=True)
    return len(names) == 1 and header.startswith('"') and _names_a_text(inner)


def fault_of_mapping(beginning: bytes, mapping: Sequence[tuple[str, str]]) -> str | None:
    """Return which column that a person named for the text the header lacks, None for another."""
    header = first_line(beginning)
    names = column_names(header, max(_DELIMITERS, key=header.count), quoting=True)
    meant = dict(mapping).get("text")
    if meant is None or meant.lower() in names:
        return None
    return f"there is no column named {meant}: the header has {listed(names)}"


def fault_of_rows(beginning: bytes, width: int) -> str | None:
    """Return why a table without a header cannot be read, None where nothing shows it."""
    row = first_line(beginning)
    for delimiter, called in _UNREAD.items():
        if width > 1 and row.count(delimiter) >= width - 1:
            return (
                f"its columns are separated by {called}, which are not supported: "
                "use commas, semicolons or tabs"
            )
    return None


def fault_of_names(names: tuple[str, ...], rows: Sequence[Mapping[str, object]] = ()) -> str:
    """Return what to do about a header without a column text; `rows` are the first below it."""
    meant = text_like(names, rows) or names[-1]
    shown = f'"{meant}"' if " " in meant else meant
    return (
        f"the header has {listed(names)}; none is named text: choose one with --columns "
        f"text={shown}, or remove the header line and name the columns in their order, for example "
        "--columns id,text,label (- for one that is not read)"
    )
