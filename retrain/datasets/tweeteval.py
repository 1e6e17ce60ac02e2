"""TweetEval folders: where their splits lie, and the labels that belong to their texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from retrain.datasets.lines import read_lines
from retrain.datasets.rows import NumberedRow, UnusableLabels
from schemas.label_files.tweeteval import (
    LABELS_ENDING,
    MAPPING,
    TEXTS_ENDING,
    label_names,
    tweeteval_row,
)

Split = Literal["train", "val", "test"]


def is_tweeteval(path: Path) -> bool:
    """Whether this is a TweetEval folder, or the texts of one of its splits."""
    if path.is_dir():
        return (path / MAPPING).is_file()
    return path.name.endswith(TEXTS_ENDING) and (path.parent / MAPPING).is_file()


def name_of(path: Path) -> str:
    """Return how people are told of a label file; TweetEval's are told apart by folders alone."""
    return name_with_folder(path) if path.name.endswith(TEXTS_ENDING) else path.name


def name_with_folder(path: Path) -> str:
    """Return a file's name and that of its folder, and no more of where it lies."""
    return f"{path.parent.name}/{path.name}"


def split_file(folder: Path, split: Split) -> Path:
    """Return the file with the texts of a split."""
    return folder / f"{split}{TEXTS_ENDING}"


def names_of_labels(folder: Path) -> dict[str, str]:
    """Return the names by number, in the order of mapping.txt."""
    names = label_names(read_lines(folder / MAPPING))
    if names.faulty_lines:
        raise UnusableLabels(
            f"{folder / MAPPING}, line {names.faulty_lines[0]} must be a number, a tab and a name"
        )
    return names.by_number


def tweeteval_rows(texts: Path) -> Iterator[NumberedRow]:
    """Yield the rows of a split by the file of its texts; a number without a name stays one.

    Raises `UnusableLabels` where texts and labels are not equally many: then no label is sure.
    """
    names = names_of_labels(texts.parent)
    labels_file = texts.with_name(texts.name.removesuffix(TEXTS_ENDING) + LABELS_ENDING)
    lines, labels = read_lines(texts), read_lines(labels_file)
    if len(lines) != len(labels):
        raise UnusableLabels(
            f"{texts} has {len(lines)} texts, {labels_file.name} {len(labels)} labels"
        )
    for number, (text, label) in enumerate(zip(lines, labels, strict=True), start=1):
        yield number, tweeteval_row(text, label, names)
