"""What a bundle answers to labelled texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model_server.bundle import Bundle
from model_server.cleaning import CLEANING
from model_server.onnx_engine import Engine, OnnxEngine, Probabilities
from model_server.self_test import self_test

Indices: TypeAlias = npt.NDArray[np.int64]

_TEXTS_AT_ONCE = 1_024


@dataclass(frozen=True)
class Answers:
    """The labels that a bundle chose, beside what people said: places in `labels`.

    `confidence` is the probability of each label that was chosen.
    """

    labels: tuple[str, ...]
    truth: Indices
    predicted: Indices
    confidence: npt.NDArray[np.float64]

    @classmethod
    def of(cls, labels: tuple[str, ...], truth: Indices, probabilities: Probabilities) -> "Answers":
        """Choose labels from probabilities (texts × labels), as the stream chooses them."""
        return cls(labels, truth, probabilities.argmax(axis=1), probabilities.max(axis=1))

    @property
    def agreed(self) -> npt.NDArray[np.bool_]:
        """Where the bundle and people say the same."""
        same: npt.NDArray[np.bool_] = self.predicted == self.truth
        return same

    def in_order_of(self, labels: tuple[str, ...]) -> "Answers":
        """Return the same answers as places in the same labels in another order."""
        places = np.array([labels.index(label) for label in self.labels])
        return Answers(labels, places[self.truth], places[self.predicted], self.confidence)


def truth_of(labels: Sequence[str], named: Sequence[str]) -> Indices:
    """Return the place in `labels` of each named label."""
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places[label] for label in named], dtype=np.int64)


def ask(
    bundle: Bundle,
    texts: Sequence[str],
    *,
    told: Callable[[int], object] = lambda _: None,
) -> Probabilities:
    """Return the probabilities that the stream would give these texts, one row for each.

    The bundle cleans them, passes its self-test first (`RefusedBundle` otherwise), and answers by
    the engine that serves. `told` hears how many more texts are done.
    """
    engine = OnnxEngine(bundle)
    self_test(bundle, engine)
    clean = CLEANING[bundle.manifest.cleaning]
    return probabilities_of(engine, [clean(text) for text in texts], told=told)


def probabilities_of(
    engine: Engine, cleaned: Sequence[str], *, told: Callable[[int], object] = lambda _: None
) -> Probabilities:
    """Return the probabilities of cleaned texts, one row for each, in order."""
    rows = np.empty((len(cleaned), len(engine.labels)))
    for start in range(0, len(cleaned), _TEXTS_AT_ONCE):
        part = cleaned[start : start + _TEXTS_AT_ONCE]
        rows[start : start + len(part)] = engine.probabilities(part)
        told(len(part))
    return rows
