"""What a label file holds: texts that people labelled, and the rows that are no such thing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from schemas.failures import Failure


class UnusableLabels(Failure):
    """Label files from which nothing sensible can be learned or measured."""


class Fault(StrEnum):
    """Why a row of a label file is left out."""

    UNKNOWN_LABEL = "unknown label"
    EMPTY_TEXT = "empty text"
    NOT_AVAILABLE = "text not available"
    MISSING_COLUMN = "missing column"
    SURPLUS_COLUMN = "more columns than the header (quote texts with commas, take tabs out)"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text as it stands in its file, without the file format's own quoting; `line` from 1."""

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


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as a format's parser found it; None where a column is missing.

    With `has_surplus` it has more than its header names, and which part is which is not sure.
    """

    line: int
    text: str | None
    label: str | None
    id: str | None = None
    has_surplus: bool = False


def sift(path: Path, rows: Iterable[RawRow], labels: Sequence[str] | None) -> LabelledFile:
    """Part good rows from bad ones. Without `labels`, every label found is one, sorted by name.

    Raises `UnusableLabels` where no row is good.
    """
    faults: dict[Fault, list[int]] = defaultdict(list)
    rows = list(rows)
    good = tuple(_good_rows(rows, labels, faults))
    if not good:
        found = ", ".join(f"{fault.value}: {len(lines)}" for fault, lines in faults.items())
        if Fault.UNKNOWN_LABEL in faults:
            found += f"; its labels are {_some({(row.label or '').strip() for row in rows})}"
        raise UnusableLabels(f"{path} has no labelled text ({found or 'it is empty'})")
    known = tuple(labels) if labels is not None else tuple(sorted({row.label for row in good}))
    return LabelledFile(path=path, rows=good, labels=known, faults=dict(faults))


def sift_texts(path: Path, rows: Iterable[RawRow]) -> UnlabelledFile:
    """Part rows with a text from those without; their labels do not matter."""
    faults: dict[Fault, list[int]] = defaultdict(list)
    texts: list[str] = []
    for row in rows:
        if fault := _fault_of_text(row):
            faults[fault].append(row.line)
        elif row.text is not None:
            texts.append(row.text)
    return UnlabelledFile(path=path, texts=tuple(texts), faults=dict(faults))


def _good_rows(
    rows: Iterable[RawRow], labels: Sequence[str] | None, faults: dict[Fault, list[int]]
) -> Iterator[LabelledText]:
    for row in rows:
        label = (row.label or "").strip()
        if fault := _fault_of_text(row):
            faults[fault].append(row.line)
        elif not label:
            faults[Fault.MISSING_COLUMN].append(row.line)
        elif labels is not None and label not in labels:
            faults[Fault.UNKNOWN_LABEL].append(row.line)
        elif row.text is not None:
            yield LabelledText(row.id or None, row.text, label, row.line)


def _some(labels: Iterable[str]) -> str:
    named = sorted(filter(None, labels))
    listed = ", ".join(repr(label[:40]) for label in named[:5])
    return f"{listed}, …" if len(named) > 5 else listed


def _fault_of_text(row: RawRow) -> Fault | None:
    if row.has_surplus:
        return Fault.SURPLUS_COLUMN
    if row.text is None:
        return Fault.MISSING_COLUMN
    if not row.text.strip():
        return Fault.EMPTY_TEXT
    if row.text.strip() == "Not Available":
        return Fault.NOT_AVAILABLE
    return None
