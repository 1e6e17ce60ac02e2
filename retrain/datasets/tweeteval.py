"""TweetEval folders: one text a line, one label number a line, and mapping.txt with the names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from retrain.datasets.lines import read_lines
from retrain.datasets.rows import RawRow, UnusableLabels

Split = Literal["train", "val", "test"]
MAPPING: Final = "mapping.txt"
TEXTS: Final = "_text.txt"
_LABELS: Final = "_labels.txt"


def is_tweeteval(path: Path) -> bool:
    """Whether this is a TweetEval folder, or the texts of one of its splits."""
    if path.is_dir():
        return (path / MAPPING).is_file()
    return path.name.endswith(TEXTS) and (path.parent / MAPPING).is_file()


def name_of(path: Path) -> str:
    """Return how people are told of a label file; TweetEval's are told apart by folders alone."""
    return name_with_folder(path) if path.name.endswith(TEXTS) else path.name


def name_with_folder(path: Path) -> str:
    """Return a file's name and that of its folder, and no more of where it lies."""
    return f"{path.parent.name}/{path.name}"


def split_file(folder: Path, split: Split) -> Path:
    """Return the file with the texts of a split."""
    return folder / f"{split}{TEXTS}"


def label_names(folder: Path) -> dict[str, str]:
    """Return the names by number, in the order of mapping.txt."""
    names: dict[str, str] = {}
    for number, line in enumerate(read_lines(folder / MAPPING), start=1):
        if not line.strip():
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) < 2 or not columns[1]:
            raise UnusableLabels(
                f"{folder / MAPPING}, line {number} must be a number, a tab and a name"
            )
        names[columns[0]] = columns[1]
    return names


def tweeteval_rows(texts: Path) -> Iterator[RawRow]:
    """Yield the rows of a split by the file of its texts; a number without a name stays one.

    Raises `UnusableLabels` where texts and labels are not equally many: then no label is sure.
    """
    names = label_names(texts.parent)
    labels_file = texts.with_name(texts.name.removesuffix(TEXTS) + _LABELS)
    lines, labels = read_lines(texts), read_lines(labels_file)
    if len(lines) != len(labels):
        raise UnusableLabels(
            f"{texts} has {len(lines)} texts, {labels_file.name} {len(labels)} labels"
        )
    for number, (text, label) in enumerate(zip(lines, labels, strict=True), start=1):
        yield RawRow(line=number, text=text, label=names.get(label.strip(), label))
