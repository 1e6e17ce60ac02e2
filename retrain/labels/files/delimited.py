"""Labels as CSV or TSV with a header: an id, `label`, perhaps who gave it and when."""

import csv
from collections.abc import Iterator, Sequence
from typing import Final

from retrain.labels.files.file_row import TWEET_ID_NAMES, Fault, FileRow
from schemas.failures import Failure
from schemas.formula_guard import unguarded
from schemas.label_files.delimited import csv_rows, delimiter_of, tsv_rows

_DELIMITERS: Final = (",", "\t", ";")


def delimited_labels(lines: Sequence[str]) -> Iterator[FileRow]:
    """Yield the rows below the header; commas, tabs or semicolons part the cells.

    Of columns with other names nothing is read, the text among them. An apostrophe that kept a
    spreadsheet from running a cell is taken away. Raises `Failure` without a header that names an
    id and `label`, and for a CSV that is broken.
    """
    header = next((line for line in lines if line.strip()), "")
    try:
        delimiter = delimiter_of(header, ("label",), _DELIMITERS)
        rows = tsv_rows(lines) if delimiter == "\t" else csv_rows(lines, delimiter or ",")
        names = [cell.strip().lower() for cell in next((cells for _, cells in rows), [])]
        if "label" not in names or not set(TWEET_ID_NAMES) & set(names):
            raise Failure(
                "its first line must name the columns: `id` (or tweet_id, root_id) and `label`"
            )
        for line, cells in rows:
            yield _row(f"line {line}", dict(zip(names, map(unguarded, cells), strict=False)))
    except csv.Error as error:
        raise Failure(f"broken CSV: {error}") from error


def _row(place: str, cells: dict[str, str]) -> FileRow:
    def cell(name: str) -> str:
        return cells.get(name, "").strip()

    tweet_id = next(filter(None, map(cell, TWEET_ID_NAMES)), "")
    if "E+" in tweet_id.upper():
        return FileRow(place, tweet_id, fault=Fault.ROUNDED_ID)
    return FileRow(
        place,
        tweet_id,
        cell("label"),
        cell("labeller"),
        cell("labelled_at"),
        cell("version"),
        cell("origin"),
        cell("repeat"),
        answer_shown=cell("answer_seen").lower() == "true",
    )
