"""What a label file holds: texts that people labelled, and the rows that are no such thing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from schemas.failures import Failure
from schemas.label_files.row import Fault, LabelRow, fault_of_text

NumberedRow: TypeAlias = tuple[int, LabelRow]
"""A row with the number of its first line, from 1."""


class UnusableLabels(Failure):
    """Label files from which nothing sensible can be learned or measured."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text as it stands in its file, without the file format's own quoting.

    `line` is the first of its row, from 1.
    """

    id: str | None
    text: str
    label: str
    line: int


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A label file: its rows in order, its labels in order, and the lines that were left out."""

    path: Path
    rows: tuple[LabelledText, ...]
    labels: tuple[str, ...]
    faults: Mapping[Fault, Sequence[int]]

    def fault_counts(self) -> dict[str, int]:
        """Return how many rows each fault has left out."""
        return counts_of(self.faults)


@dataclass(frozen=True, slots=True)
class UnlabelledFile:
    """A file's texts in order, whatever their labels, and the lines that were left out."""

    path: Path
    texts: tuple[str, ...]
    faults: Mapping[Fault, Sequence[int]] = field(default_factory=dict)


def counts_of(faults: Mapping[Fault, Sequence[int]]) -> dict[str, int]:
    """Return how many lines each fault has."""
    return {fault.value: len(lines) for fault, lines in sorted(faults.items())}


def fault_counts_of(files: Iterable[LabelledFile]) -> Counter[str]:
    """Return how many rows each fault has left out of all these files."""
    return sum((Counter(file.fault_counts()) for file in files), Counter[str]())


def sift(path: Path, rows: Iterable[NumberedRow], labels: Sequence[str] | None) -> LabelledFile:
    """Part good rows from bad ones. Without `labels`, every label found is one, sorted by name.

    Raises `UnusableLabels` where no row is good.
    """
    faults: dict[Fault, list[int]] = defaultdict(list)
    rows = list(rows)
    good = tuple(_good_rows(rows, labels, faults))
    if not good:
        found = ", ".join(f"{fault.value}: {len(lines)}" for fault, lines in faults.items())
        if Fault.UNKNOWN_LABEL in faults:
            found += f"; its labels are {_some({(row.label or '').strip() for _, row in rows})}"
            found += f"; accepted are {_some(labels or ())}"
        raise UnusableLabels(f"{path} has no labelled text ({found or 'it is empty'})")
    known = tuple(labels) if labels is not None else tuple(sorted({row.label for row in good}))
    return LabelledFile(path=path, rows=good, labels=known, faults=dict(faults))


def sift_texts(path: Path, rows: Iterable[NumberedRow]) -> UnlabelledFile:
    """Part rows with a text from those without; their labels do not matter."""
    faults: dict[Fault, list[int]] = defaultdict(list)
    texts: list[str] = []
    for line, row in rows:
        if fault := fault_of_text(row):
            faults[fault].append(line)
        elif row.text is not None:
            texts.append(row.text)
    return UnlabelledFile(path=path, texts=tuple(texts), faults=dict(faults))


def _good_rows(
    rows: Iterable[NumberedRow], labels: Sequence[str] | None, faults: dict[Fault, list[int]]
) -> Iterator[LabelledText]:
    for line, row in rows:
        label = (row.label or "").strip()
        if fault := fault_of_text(row):
            faults[fault].append(line)
        elif not label:
            faults[Fault.MISSING_COLUMN].append(line)
        elif labels is not None and label not in labels:
            faults[Fault.UNKNOWN_LABEL].append(line)
        elif row.text is not None:
            yield LabelledText(row.id or None, row.text, label, line)


def _some(labels: Iterable[str]) -> str:
    named = sorted(filter(None, labels))
    listed = ", ".join(repr(label[:40]) for label in named[:5])
    return f"{listed}, …" if len(named) > 5 else listed
