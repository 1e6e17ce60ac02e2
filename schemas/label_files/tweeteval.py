"""TweetEval folders: one text a line, one label number a line, and mapping.txt with the names.

Source: https://github.com/cardiffnlp/tweeteval: `test_text.txt`, `test_labels.txt` and, for all
of a folder, `mapping.txt` with number, name and perhaps more by tabs.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from schemas.label_files.row import LabelRow

TEXTS_ENDING: Final = "_text.txt"
LABELS_ENDING: Final = "_labels.txt"
MAPPING: Final = "mapping.txt"


class LabelNames(NamedTuple):
    """The names of labels by number, in their order, and the lines, from 1, that name none."""

    by_number: dict[str, str]
    faulty_lines: list[int]


def label_names(lines: Iterable[str]) -> LabelNames:
    """Return what the lines of a mapping.txt name; blank lines count for nothing."""
    names = LabelNames({}, [])
    for at, line in enumerate(lines, start=1):
        number, name, *_ = [*(column.strip() for column in line.split("\t")), ""]
        if name:
            names.by_number[number] = name
        elif line.strip():
            names.faulty_lines.append(at)
    return names


def tweeteval_row(text: str, number: str, names: Mapping[str, str]) -> LabelRow:
    """Return the row of a text and the number on the same line of the file beside it.

    The text is the line as it stands. A number without a name stays one.
    """
    return LabelRow(text=text, label=names.get(number.strip(), number))
