"""CSV and TSV files with a header: it names `text`, `label` where there is one, perhaps `id`."""

import csv
from collections.abc import Collection, Iterator, Sequence

from retrain.datasets.rows import RawRow

_ID_COLUMNS = ("id", "tweet_id")


def delimiter_of(header: str, columns: Collection[str], delimiters: Sequence[str]) -> str | None:
    """Return the first delimiter by which a header names these columns, None for no such header."""
    for delimiter in delimiters:
        if set(columns) <= set(_names(next(csv.reader([header], delimiter=delimiter), []))):
            return delimiter
    return None


def delimited_rows(lines: Sequence[str], delimiter: str) -> Iterator[RawRow]:
    """Yield the rows below the header.

    CSV is read by its rules: a quoted text may span lines. In TSV a row is a line, and a text is
    quoted only where it begins and ends with a quote: a stray one swallows nothing.
    """
    if delimiter == ",":
        # Strict: else a quote that nobody closes takes all rows below it into one text.
        reader = csv.reader((line + "\n" for line in lines), strict=True)
        numbered = ((reader.line_num, fields) for fields in reader if fields)
    else:
        fields_of_lines = ([_unquoted(field) for field in line.split("\t")] for line in lines)
        numbered = (
            (number, fields)
            for number, fields in enumerate(fields_of_lines, start=1)
            if any(field.strip() for field in fields)
        )
    _, header = next(numbered)
    names = _names(header)
    id_column = next((name for name in _ID_COLUMNS if name in names), None)
    for number, fields in numbered:
        row = dict(zip(names, fields, strict=False))
        yield RawRow(
            line=number,
            text=row.get("text"),
            label=row.get("label"),
            id=row.get(id_column) if id_column else None,
            has_surplus=any(field.strip() for field in fields[len(names) :]),
        )


def _names(header: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _unquoted(field: str) -> str:
    stripped = field.strip()
    if len(stripped) >= 2 and stripped[0] == stripped[-1] == '"':
        return stripped[1:-1].replace('""', '"')
    return field
