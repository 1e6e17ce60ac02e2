"""What the gate wants to know of an exported model."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from model_server.onnx_engine import BATCH_TEXTS, Engine
from retrain.evaluation.figures import figures_of, sums_of_each_text
from retrain.evaluation.predictions import Answers, Indices

TEXTS_SCORED_ALONE: Final = 2_048


def macro_recall(answers: Answers) -> float:
    """Return the mean recall of the labels that people gave."""
    sums = np.asarray(sums_of_each_text(answers).sum(axis=0), dtype=np.float64).ravel()
    return float(figures_of(sums, answers.labels).macro_recall)


def recall_of_a_text(truth: Indices) -> float:
    """Return the share of macro-recall that one text of the rarest label is worth."""
    texts = np.unique(truth, return_counts=True)[1]
    return 1 / (len(texts) * int(texts.min()))


def same_labels(answers: Answers, others: Answers) -> float:
    """Return the share of texts to which both give the same label."""
    return float(np.mean(answers.predicted == others.predicted))


def labels_by_batch(engine: Engine, cleaned: Sequence[str]) -> tuple[int, int]:
    """Return how many texts were scored alone and among 32 others, and how many labels differed.

    The batches hold texts as they come, short ones beside long ones, which pads them most.
    """
    texts = cleaned[:TEXTS_SCORED_ALONE]
    together = np.concatenate(
        [
            engine.probabilities(texts[start : start + BATCH_TEXTS]).argmax(axis=1)
            for start in range(0, len(texts), BATCH_TEXTS)
        ]
    )
    alone = np.concatenate([engine.probabilities([text]).argmax(axis=1) for text in texts])
    return len(texts), int((alone != together).sum())
