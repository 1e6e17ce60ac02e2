"""The figures that training steers by."""

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def macro_recall(logits: Logits, labels: Labels) -> float:
    """Return the mean over the labels of the share of their texts that get the highest logit.

    Labels that no text has do not count.
    """
    right = logits.argmax(axis=1) == labels
    texts = np.bincount(labels, minlength=logits.shape[1])
    hits = np.bincount(labels[right], minlength=logits.shape[1])
    return float((hits[texts > 0] / texts[texts > 0]).mean())


def macro_f1(logits: Logits, labels: Labels) -> float:
    """Return the mean over the labels of the harmonic mean of precision and recall.

    Labels that no text has do not count, as in `retrain.evaluation`.
    """
    predicted = logits.argmax(axis=1)
    texts = np.bincount(labels, minlength=logits.shape[1])
    taken = np.bincount(predicted, minlength=logits.shape[1])
    hits = np.bincount(labels[predicted == labels], minlength=logits.shape[1])
    counted = texts > 0
    return float((2 * hits[counted] / (texts + taken)[counted]).mean())


def figures(logits: Logits, labels: Labels) -> dict[str, float]:
    """Return macro-recall, macro-F1 and accuracy."""
    return {
        "macro_recall": macro_recall(logits, labels),
        "macro_f1": macro_f1(logits, labels),
        "accuracy": float((logits.argmax(axis=1) == labels).mean()),
    }
