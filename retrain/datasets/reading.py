"""Reading a label file, whatever its format: the one way in for labels."""

import csv
from collections.abc import Sequence
from pathlib import Path

from retrain.datasets.lines import read_lines
from retrain.datasets.rows import (
    LabelledFile,
    LabelledText,
    NumberedRow,
    UnlabelledFile,
    UnusableLabels,
    sift,
    sift_texts,
)
from retrain.datasets.tweeteval import (
    Split,
    is_tweeteval,
    names_of_labels,
    split_file,
    tweeteval_rows,
)
from schemas.label_files.delimited import delimited_rows, delimiter_of
from schemas.label_files.semeval import is_semeval, semeval_row
from schemas.label_files.tweeteval import TEXTS_ENDING

__all__ = [
    "LabelledFile",
    "LabelledText",
    "UnusableLabels",
    "read_every_text",
    "read_labelled",
    "read_texts",
]

_SUFFIXES = (".tsv", ".csv", ".txt")


def read_labelled(
    path: Path, *, labels: Sequence[str] | None, split: Split = "test"
) -> LabelledFile:
    """Read a SemEval TSV, a `text,label` CSV or TSV, or a split of a TweetEval folder.

    A row with a label that is not one of `labels`, without a text or without a column is left out
    and its line kept in `faults`. Without `labels`, a TweetEval folder's are those of its
    mapping.txt, another file's those that are found. A TweetEval folder means its `split`; the
    path of `…_text.txt` names one itself. Raises `UnusableLabels` for a file that is no label
    file or has no good row.
    """
    file, rows = _rows(path, split)
    if labels is None and is_tweeteval(path):
        labels = tuple(names_of_labels(file.parent).values())
    return sift(file, rows, labels)


def read_every_text(path: Path, *, split: Split = "test") -> list[str]:
    """Return the texts of a label file's rows, those with a wrong label or none too."""
    _, rows = _rows(path, split)
    return [row.text for _, row in rows if row.text]


def _rows(
    path: Path, split: Split, columns: Sequence[str] = ("text", "label")
) -> tuple[Path, list[NumberedRow]]:
    """Return the rows as their format has them, and the file that they stand in.

    A header has to name `columns`.
    """
    if is_tweeteval(path):
        texts = split_file(path, split) if path.is_dir() else path
        return texts, list(tweeteval_rows(texts))
    if path.is_dir():
        raise UnusableLabels(f"{path} is a folder without mapping.txt: name the files in it")
    lines = read_lines(path)
    first = next((line for line in lines if line.strip()), "")
    if is_semeval(first):
        numbered = enumerate(lines, start=1)
        return path, [(at, semeval_row(line)) for at, line in numbered if line.strip()]
    try:
        delimiters = "\t,;" if path.suffix.lower() == ".tsv" else ",;\t"
        delimiter = delimiter_of(first, columns, delimiters)
        if delimiter is not None:
            return path, list(delimited_rows(lines, delimiter))
    except csv.Error as error:
        raise UnusableLabels(f"{path} is not valid CSV: {error}") from error
    raise UnusableLabels(
        f"{path} is not a label file: its first line is neither `id, label, text` by tabs nor a "
        f"header with {' and '.join(f'`{name}`' for name in columns)}"
    )


def label_files(path: Path) -> list[Path]:
    """Return the label files that a path stands for: itself, or a folder's TSV, CSV and TXT files.

    Of a folder none is passed over for what is in it: reading one that is no label file raises.
    """
    if is_tweeteval(path) or not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not found:
        raise UnusableLabels(f"{path} has no mapping.txt and no .tsv, .csv or .txt file")
    return found


def read_texts(path: Path) -> list[UnlabelledFile]:
    """Read the texts of files whose labels, if any, do not matter.

    A label file, one with a header that names `text` alone, a TweetEval folder (its training and
    validation texts), a folder of label files, or a file of one text a line. Raises
    `UnusableLabels` for what cannot be read.
    """
    if is_tweeteval(path) and path.is_dir():
        files = [split_file(path, "train"), split_file(path, "val")]
        return [_texts(file) for file in files if file.is_file()]
    return [_texts(file) for file in label_files(path)]


def _texts(path: Path) -> UnlabelledFile:
    if path.name.endswith(TEXTS_ENDING) or path.suffix.lower() == ".txt":
        lines = read_lines(path)
        if not is_semeval(next((line for line in lines if line.strip()), "")):
            return UnlabelledFile(path, tuple(line for line in lines if line.strip()))
    return sift_texts(*_rows(path, "train", columns=("text",)))
