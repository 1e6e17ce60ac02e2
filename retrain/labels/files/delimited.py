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

    Label Studio's own CSV is one of these. Of other columns nothing is read, the text among them.
    An apostrophe that kept a spreadsheet from running a cell is taken away. Raises `Failure`
    without a header that names an id and `label`, and for a CSV that is broken.
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
    def cell(*names: str) -> str:
        return next(filter(None, (cells.get(name, "").strip() for name in names)), "")

    # In Label Studio's own CSV `id` is the task's number.
    is_label_studio = "annotation_id" in cells
    tweet_id = cell(*(TWEET_ID_NAMES[:-1] if is_label_studio else TWEET_ID_NAMES))
    if "E+" in tweet_id.upper():
        return FileRow(place, tweet_id, fault=Fault.ROUNDED_ID)
    return FileRow(
        place,
        tweet_id,
        cell("label"),
        cell("labeller", *(["annotator"] if is_label_studio else [])),
        cell("labelled_at", *(["created_at"] if is_label_studio else [])),
        cell("version"),
        cell("origin"),
        cell("repeat"),
        answer_shown=cell("answer_seen").lower() == "true",
    )
