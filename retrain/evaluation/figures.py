"""Figures of answers. All are made of sums over texts, so that a resample is one product."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from retrain.evaluation.predictions import Answers

BINS: Final = 15
POLES: Final = ("positive", "negative")

Floats: TypeAlias = npt.NDArray[np.float64]


def sums_of_each_text(answers: Answers) -> Any:
    """Return a sparse matrix, texts × sums: what each text adds to every sum.

    Sums, in this order: how often a label is the true one, is the chosen one, is both; then, for
    each of 15 equally wide bins of confidence, the confidence and how often people agree.
    """
    # The service measures too, and it has no scipy.
    from scipy import sparse

    texts, labels = len(answers.truth), len(answers.labels)
    rows = np.arange(texts)
    agreed = answers.agreed
    bins = bins_of(answers.confidence)
    first_bin = 3 * labels
    columns = [
        (rows, answers.truth, np.ones(texts)),
        (rows, labels + answers.predicted, np.ones(texts)),
        (rows[agreed], 2 * labels + answers.truth[agreed], np.ones(agreed.sum())),
        (rows, first_bin + bins, answers.confidence),
        (rows[agreed], first_bin + BINS + bins[agreed], np.ones(agreed.sum())),
    ]
    row, column, value = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return sparse.csr_array((value, (row, column)), shape=(texts, first_bin + 2 * BINS))


def totals_of(answers: Answers) -> Floats:
    """Return the sums over all texts, in the order of `sums_of_each_text`."""
    count, agreed = len(answers.labels), answers.agreed
    bins = bins_of(answers.confidence)
    counted = [
        np.bincount(answers.truth, minlength=count),
        np.bincount(answers.predicted, minlength=count),
        np.bincount(answers.truth[agreed], minlength=count),
        np.bincount(bins, weights=answers.confidence, minlength=BINS),
        np.bincount(bins[agreed], minlength=BINS),
    ]
    return np.concatenate(counted).astype(np.float64)


def bins_of(confidence: Floats) -> npt.NDArray[np.int64]:
    """Return the bin of each confidence: the first holds (0, 1/15], the last (14/15, 1]."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


@dataclass(frozen=True)
class Figures:
    """Figures of one or many sets of sums (the last axis of each array of classes is the label).

    `macro_recall` and `macro_f1` are means over the labels that people gave. A share of nothing is
    NaN: recall of a label that nobody gave, precision of one never chosen. `f1_poles` is the mean
    F1 of `positive` and `negative`, SemEval's second figure, and None where there are no such
    labels. `calibration_error` is the mean distance of confidence and accuracy over 15 equally
    wide bins, weighted by their texts (Guo and others, "On Calibration of Modern Neural
    Networks", 2017).
    """

    macro_recall: Floats
    macro_f1: Floats
    f1_poles: Floats | None
    accuracy: Floats
    calibration_error: Floats
    precision: Floats
    recall: Floats
    f1: Floats

    def headline(self) -> dict[str, Floats]:
        """Return the figures of the whole, by name."""
        named = {
            "macro_recall": self.macro_recall,
            "macro_f1": self.macro_f1,
            "f1_positive_negative": self.f1_poles,
            "accuracy": self.accuracy,
            "calibration_error": self.calibration_error,
        }
        return {name: figure for name, figure in named.items() if figure is not None}


HIGHER_IS_BETTER: Final = {
    "macro_recall": True,
    "macro_f1": True,
    "f1_positive_negative": True,
    "accuracy": True,
    "calibration_error": False,
}


def figures_of(sums: Floats, labels: tuple[str, ...]) -> Figures:
    """Return the figures of sums over texts (any number of axes before the last)."""
    count = len(labels)
    true, chosen, both = (sums[..., part * count : (part + 1) * count] for part in range(3))
    confidence, agreed = np.split(sums[..., 3 * count :], 2, axis=-1)
    texts = true.sum(axis=-1)
    recall, precision = _share(both, true), _share(both, chosen)
    # A label that is neither given nor chosen has no F1; one that is given only has F1 0.
    f1 = _share(2 * both, true + chosen)
    given = true > 0
    poles = [labels.index(pole) for pole in POLES if pole in labels]
    return Figures(
        macro_recall=_mean(recall, given),
        macro_f1=_mean(f1, given),
        f1_poles=_mean(f1[..., poles], given[..., poles]) if len(poles) == len(POLES) else None,
        accuracy=both.sum(axis=-1) / texts,
        calibration_error=np.abs(confidence - agreed).sum(axis=-1) / texts,
        precision=precision,
        recall=recall,
        f1=f1,
    )


def confusion(answers: Answers) -> npt.NDArray[np.int64]:
    """Return how often each label (rows: people's) was answered with each (columns)."""
    count = len(answers.labels)
    cells = np.bincount(answers.truth * count + answers.predicted, minlength=count * count)
    return cells.reshape(count, count)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _mean(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    counted = where.sum(axis=-1)
    return _share(np.where(where, values, 0.0).sum(axis=-1), counted.astype(np.float64))
