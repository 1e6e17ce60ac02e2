"""What became of every row of the label files, and whether what is left can teach anything."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from model_server.bundle import LONGEST_LABEL, storable_label
from retrain.datasets.rows import (
    LabelledFile,
    UnlabelledFile,
    UnusableLabels,
    counts_of,
    fault_counts_of,
)
from retrain.datasets.splitting import Example
from schemas.label_files.row import Fault

LEAST_OF_A_LABEL: Final = 8
"""Training texts of a label below which nothing is learned of it but those texts."""

_LEAST_USABLE: Final = 0.5
"""Share of usable rows below which the files are not what they were taken for."""

_KEPT_OUT: Final = ("text of test", "text of validation")
"""How reasons end for which a text was removed because of others that nothing is learned of."""


@dataclass(kw_only=True)
class DataReport:
    """Counts: per file what was read and left out, by reason what was removed, by label what is
    kept. It holds file names and numbers, no text."""

    files: dict[str, dict[str, int]] = field(default_factory=dict)
    test_files: dict[str, dict[str, int]] = field(default_factory=dict)
    unlabelled_files: dict[str, dict[str, int]] = field(default_factory=dict)
    removed: Counter[str] = field(default_factory=Counter)
    training: dict[str, int] = field(default_factory=dict)
    validation: dict[str, int] = field(default_factory=dict)
    unlabelled: int = 0

    def add_file(self, file: LabelledFile, *, of_test: bool = False) -> None:
        """Count a file that was read."""
        files = self.test_files if of_test else self.files
        files[str(file.path)] = {"rows": len(file.rows), **file.fault_counts()}

    def add_unlabelled(self, file: UnlabelledFile) -> None:
        """Count a file of which the labels, if any, were not read."""
        self.unlabelled_files[str(file.path)] = {"rows": len(file.texts), **counts_of(file.faults)}

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        removed = {reason: count for reason, count in self.removed.items() if count}
        return {**vars(self), "removed": removed}


def counts(examples: Sequence[Example], labels: Sequence[str]) -> dict[str, int]:
    """Return how many examples each label has, in the labels' order."""
    found = Counter(example.label for example in examples)
    return {label: found[label] for label in labels}


def check_rows(files: Sequence[LabelledFile], *, labels_are_chosen: bool) -> None:
    """Raise `UnusableLabels` where fewer than half of the files' rows are usable.

    Rows with other labels than those that a person has chosen do not count: two of many labels may
    be wanted. Whether enough of each is left, `check_kept` asks.
    """
    good = sum(len(file.rows) for file in files)
    faults = fault_counts_of(files)
    if labels_are_chosen:
        del faults[Fault.UNKNOWN_LABEL]
    bad = faults.total()
    if good < _LEAST_USABLE * (good + bad):
        found = ", ".join(f"{fault}: {count}" for fault, count in faults.most_common())
        raise UnusableLabels(f"{bad} of {good + bad} rows cannot be used ({found})")


def check_labels(labels: Sequence[str]) -> None:
    """Raise `UnusableLabels` for a number of labels that no model here has."""
    if not 2 <= len(labels) <= 50:
        raise UnusableLabels(f"a model has 2 to 50 labels, these files have {len(labels)}")
    if len(set(labels)) != len(labels):
        raise UnusableLabels("a label is named twice")
    for label in labels:
        if not storable_label(label) or len(label) > LONGEST_LABEL:
            raise UnusableLabels(
                f"{label[:120]!r} cannot be a label: at most {LONGEST_LABEL} characters, "
                f"no control character"
            )


def check_copies(distinct: int, contradicted: int) -> None:
    """Raise `UnusableLabels` where most texts stand there again with another label."""
    if contradicted > _LEAST_USABLE * distinct:
        raise UnusableLabels(
            f"{contradicted} of {distinct} texts stand there several times with different labels"
        )


def check_kept(report: DataReport) -> None:
    """Raise `UnusableLabels` where a label has too few texts to be learned or validated."""
    kept_out = sum(count for why, count in report.removed.items() if why.endswith(_KEPT_OUT))
    left_out = (
        f"{kept_out} texts were left out as texts of test or validation, or near them: "
        f"name other files there, "
        if kept_out
        else ""
    )
    rare = [f"{n} of {label!r}" for label, n in report.training.items() if n < LEAST_OF_A_LABEL]
    if rare:
        raise UnusableLabels(
            f"too few training texts: {', '.join(rare)}; each label needs {LEAST_OF_A_LABEL}: "
            f"{left_out}label more, or name the labels to keep with --label-names"
        )
    missing = [label for label, n in report.validation.items() if n == 0]
    if missing:
        raise UnusableLabels(
            f"no validation text has the label {', '.join(map(repr, missing))}: "
            f"{left_out}split by hash, take a larger share, or name --validation files"
        )
