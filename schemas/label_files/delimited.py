"""CSV and TSV files with a header: it names `text`, `label` where there is one, perhaps `id`."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from schemas.label_files.row import LabelRow

_ID_COLUMNS: Final = ("id", "tweet_id")
_WRAPPED: Final = re.compile(r'"([^"]*(?:""[^"]*)*)"')
_BACKSLASHED: Final = re.compile(r'\\(["\\])')
_JUDGED_LINES: Final = 1_000


def delimiter_of(header: str, columns: Collection[str], delimiters: Sequence[str]) -> str | None:
    """Return the first delimiter by which a header names these columns, None for no such header.

    Raises `csv.Error` for a line that is longer than a cell may be.
    """
    for delimiter in delimiters:
        if set(columns) <= set(_names(next(csv.reader([header], delimiter=delimiter), []))):
            return delimiter
    return None


def delimited_rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, LabelRow]]:
    """Yield the rows below the header, each with the number of its first line, from 1.

    CSV is read by its rules: a quoted text may span lines, and backslashes escape quotes where
    `escapes_by_backslash` says so. In TSV a row is a line.
    Raises `csv.Error` where CSV is broken: rows below would be taken into one text.
    """
    rows = tsv_rows(lines) if delimiter == "\t" else _csv_rows(iter(lines), delimiter)
    header = next(fields for _, fields in rows if any(field.strip() for field in fields))
    names = _names(header)
    id_column = next((name for name in _ID_COLUMNS if name in names), None)
    for number, fields in rows:
        row = dict(zip(names, fields, strict=False))
        yield (
            number,
            LabelRow(
                text=row.get("text"),
                label=row.get("label"),
                id=row.get(id_column) if id_column else None,
                has_surplus=any(field.strip() for field in fields[len(names) :]),
            ),
        )


def csv_rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of rows quoted as RFC 4180 says, each with the number of its first line.

    `lines` have no line ends. Raises `csv.Error`: a quote that nobody closes swallows nothing.
    """
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
    last_line = 0
    for fields in reader:
        if fields:
            yield last_line + 1, fields
        last_line = reader.line_num


def escapes_by_backslash(lines: Sequence[str], delimiter: str) -> bool:
    r"""Tell whether the quotes within these lines' cells are escaped as `\"`, not doubled.

    Spark and MySQL write CSV so. It is so where as many of the lines that have a `\"` are rows by
    themselves when read this way: without it, such a line may be the beginning of a row.
    """
    doubtful = [line for line in lines if '\\"' in line]
    escaped = sum(_is_row(unescaped(line), delimiter) for line in doubtful)
    return 0 < escaped >= sum(_is_row(line, delimiter) for line in doubtful)


def unescaped(line: str) -> str:
    r"""Return a line that has `\"` for quotes and `\\` for backslashes as RFC 4180 has it."""
    return _BACKSLASHED.sub(lambda found: '""' if found[1] == '"' else found[1], line)


def unwrapped(cell: str) -> str:
    """Return a cell of a TSV without the quotes that wrap the whole of it, the inner ones doubled.

    Any other cell is returned as it is: a stray quote is plain text, and so are those of
    `"To be" or "not to be"`.
    """
    wrapped = _WRAPPED.fullmatch(cell.strip()) if '"' in cell else None
    return cell if wrapped is None else wrapped[1].replace('""', '"')


def tsv_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of rows parted by tabs, each with the number of its line, from 1."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, [unwrapped(cell) for cell in line.split("\t")]


def _csv_rows(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    judged = list(islice(lines, _JUDGED_LINES))
    whole = chain(judged, lines)
    escaped = escapes_by_backslash(judged, delimiter)
    return csv_rows(map(unescaped, whole) if escaped else whole, delimiter)


def _is_row(line: str, delimiter: str) -> bool:
    try:
        return len(next(csv_rows([line], delimiter), (0, []))[1]) > 0
    except csv.Error:
        return False


def _names(header: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in header]
