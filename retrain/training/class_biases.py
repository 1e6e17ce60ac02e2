"""Biases of the labels: constants added to the logits that lift a figure."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from retrain.training.figures import Labels, Logits
from retrain.training.recipe import Objective

_SCALES: Final = (0.01, 100.0)
_USUAL_BIAS: Final = 0.3
"""Standard deviation of what biases are expected to be before a text is seen, as models trained
here needed them. On simulated models of 3 to 20 labels that needed none, biases of 3 texts a label
cost up to .035 of macro-recall without this expectation and .001 with it."""
_WEIGHT_OF_A_TEXT: Final = MappingProxyType[Objective, float](
    {"macro_recall": -1, "macro_f1": -0.5}
)
"""The power of its label's number of texts. −1 weighs all labels alike, which is what macro-recall
does; macro-F1 lies between that and weighing all texts alike."""


@dataclass(frozen=True)
class Fitted:
    """Biases of the labels, and the cross-entropy in nats of their texts with scale and biases.

    The texts weigh as the objective asks for. Of two models the loss tells more than the objective
    itself, which counts only the texts near a border.
    """

    biases: tuple[float, ...]
    log_loss: float


def fit_biases(logits: Logits, labels: Labels, objective: Objective) -> Fitted:
    """Return the biases that correct a model for an objective, from texts it has not learned.

    One scale of all logits and one bias a label are fitted by maximum likelihood, texts weighted
    for the objective (bias-corrected temperature scaling: Alexandari and others, "Maximum
    Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label Shift Adaptation", 2020);
    the biases are those of unscaled logits. A search for the figure itself follows the noise of a
    few texts near the border: it gained less on texts that it had not seen, and varied more.
    Few texts move them little from 0, where they are expected. They have the mean 0, which changes
    no answer. A label without texts gets none.
    """
    present, column = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return Fitted((0.0,) * int(logits.shape[1]), 0.0)
    seen = logits[:, present]
    texts = np.bincount(column).astype(np.float64)
    weights: Logits = np.power(texts, _WEIGHT_OF_A_TEXT[objective])[column]
    weights /= weights.sum()
    truth = np.eye(len(present))[column]
    # Weighted texts count as this many unweighted ones (Kish).
    effective_texts = 1 / float((weights**2).sum())
    pull = 1 / (effective_texts * _USUAL_BIAS**2)

    def logs_of(parameters: Logits) -> Logits:
        fitted: Logits = log_softmax(parameters[0] * (seen + parameters[1:]), axis=1)
        return fitted

    def loss(parameters: Logits) -> tuple[float, Logits]:
        scale, biases = parameters[0], parameters[1:]
        logs = logs_of(parameters)
        slopes = weights[:, None] * (np.exp(logs) - truth)
        of_biases = scale * slopes.sum(axis=0) + pull * biases
        gradient = np.concatenate([[(slopes * (seen + biases)).sum()], of_biases])
        return -float(weights @ logs[truth == 1]) + pull / 2 * float(biases @ biases), gradient

    start = np.concatenate([[1.0], np.zeros(len(present))])
    bounds: list[Any] = [_SCALES, *([(None, None)] * len(present))]
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    biases = np.zeros(logits.shape[1])
    biases[present] = fitted[1:] - fitted[1:].mean()
    return Fitted(
        biases=tuple(round(float(bias), 4) for bias in biases),
        log_loss=-float(weights @ logs_of(fitted)[truth == 1]),
    )
