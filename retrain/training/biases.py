"""Biases of the labels: constants added to the logits that lift a figure."""

from collections.abc import Callable
from typing import Final

import numpy as np

from retrain.training.figures import Labels, Logits, macro_recall

_GRID: Final = np.round(np.arange(-2.0, 2.01, 0.05), 2)
_PASSES: Final = 4
_LEAST_GAIN: Final = 1e-9

Score = Callable[[Logits, Labels], float]


def seek_biases(logits: Logits, labels: Labels, score: Score = macro_recall) -> tuple[float, ...]:
    """Return biases with which the score of these texts is highest, near enough.

    Coordinate ascent from zeros: one label's bias after the other, over a grid of .05 from −2 to
    2. Of a stretch of equally good ones the middle is taken, which noise moves least. Their mean
    is 0, which changes no answer.
    """
    biases = np.zeros(logits.shape[1])
    best = score(logits, labels)
    for _ in range(_PASSES):
        before = best
        for label in range(len(biases)):
            scores = np.array([score(logits + _with(biases, label, at), labels) for at in _GRID])
            if scores.max() > best + _LEAST_GAIN:
                best = float(scores.max())
                biases[label] = _middle_of_best(scores)
        if best <= before + _LEAST_GAIN:
            break
    return tuple(round(float(bias), 4) for bias in biases - biases.mean())


def _with(biases: Logits, label: int, value: float) -> Logits:
    tried = biases.copy()
    tried[label] = value
    return tried


def _middle_of_best(scores: Logits) -> float:
    """Return the middle of the first unbroken stretch of the highest score."""
    first = int(scores.argmax())
    last = first
    while last + 1 < len(scores) and scores[last + 1] == scores[first]:
        last += 1
    return float(_GRID[(first + last) // 2])
