"""What a training learns from, in its order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrain.labelled.preparing import Prepared
from retrain.labelled.splitting import Example
from retrain.training.batches import UNLABELLED


@dataclass(frozen=True)
class Lessons:
    """Texts, and the number of each one's label."""

    texts: Sequence[str]
    labels: npt.NDArray[np.int64]

    @classmethod
    def of(cls, prepared: Prepared, *, has_teachers: bool, is_refit: bool) -> "Lessons":
        """Return the training texts, with teachers the unlabelled ones, for a refit the others.

        Those of validation come last: of the texts before them, teachers' answers are found again.
        """
        unlabelled = prepared.unlabelled if has_teachers else ()
        last = prepared.validation if is_refit else ()
        texts = [example.text for example in prepared.training]
        texts += [*unlabelled, *(example.text for example in last)]
        labels = [
            *numbers(prepared.training, prepared.labels),
            *(UNLABELLED for _ in unlabelled),
            *numbers(last, prepared.labels),
        ]
        return cls(texts, np.array(labels, dtype=np.int64))


def numbers(examples: Sequence[Example], labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the place of each example's label among `labels`."""
    number = {label: place for place, label in enumerate(labels)}
    return np.array([number[example.label] for example in examples], dtype=np.int64)
