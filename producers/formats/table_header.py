"""The header of a table, and what is wrong with one that names no text."""

import re
from typing import Final

from producers.formats.json_beginning import first_lines
from producers.formats.quoted_rows import cells_of
from producers.parsing.faults import Unparsable

_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = ("\t", ",", ";")
_NAME: Final = re.compile(r"[^\W\d][\w .:/-]{0,63}")
_MOST_NAMES: Final = 12


def first_line(beginning: bytes) -> str:
    """Return the first line that is not blank."""
    lines = beginning.removeprefix(_BOM).splitlines()
    return next((line for line in lines if line.strip()), b"").decode(errors="replace")


def column_names(header: str, delimiter: str, *, quoting: bool) -> tuple[str, ...]:
    """Return the names in a header as columns are known by them, in lower case."""
    try:
        names = cells_of(header.encode(), delimiter, quoting=quoting)
    except Unparsable:
        names = header.split(delimiter)
    return tuple(name.strip().strip('"').lower() for name in names)


def fault_of_header(beginning: bytes) -> str | None:
    """Return why a table with a header cannot be read, None where the first line is no header."""
    header = first_line(beginning)
    delimiter = max(_DELIMITERS, key=header.count)
    names = column_names(header, delimiter, quoting=True)
    rows = first_lines(beginning)[1:]
    if (
        len(names) < 2
        or not all(_NAME.fullmatch(name) for name in names)
        or any(row.count(delimiter.encode()) < len(names) - 1 for row in rows[:1])
    ):
        return None
    if delimiter == ";":
        return (
            f"its columns ({_listed(names)}) are separated by semicolons, which are not supported: "
            "use commas or tabs"
        )
    return None if "text" in names else fault_of_names(names)


def fault_of_names(names: tuple[str, ...]) -> str:
    """Return what to do about a header without a column text."""
    return (
        f"the header has {_listed(names)}; none is named text: rename the column, or remove the "
        "header line and name the columns in their order, for example --columns id,text,label "
        "(- for one that is not read)"
    )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
