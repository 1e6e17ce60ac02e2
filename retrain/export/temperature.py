"""The temperature that makes confidence mean what it says."""

from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from model_server.engine import Probabilities
from retrain.evaluation.answers import Indices

COLDEST: Final = 0.01
HOTTEST: Final = 100.0


def best_temperature(probabilities: Probabilities, truth: Indices) -> float:
    """Return the temperature at which confidence tells best whether a label is right.

    `probabilities` were given at temperature 1; the result lies within .01 and 100, to four
    decimals. One number on a validation split is enough to calibrate, and changes no label (Guo
    and others, "On Calibration of Modern Neural Networks", 2017). What is lessened is the
    cross-entropy of the answered label's confidence against right or wrong (top-label calibration,
    Gupta and Ramdas 2022), not that of all probabilities: class biases raise rare labels above
    their share on purpose, and it would pay for that with confidence. Right and wrong count as
    (n + 1) / (n + 2) and 1 / (n + 2) (Platt 1999), so that a few texts that are all answered
    rightly make no answer certain.
    """
    # Logits but for a constant in each row, which the softmax takes away again.
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    order = np.sort(logits, axis=1)
    answered, others = order[:, -1], order[:, :-1]
    is_right = logits.argmax(axis=1) == truth
    right, wrong = int(is_right.sum()), int((~is_right).sum())
    target = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))

    def cross_entropy(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        whole = logsumexp(logits * scale, axis=1)
        log_right = answered * scale - whole
        log_wrong = logsumexp(others * scale, axis=1) - whole
        return float(-(target * log_right + (1 - target) * log_wrong).mean())

    found = minimize_scalar(
        cross_entropy, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded"
    )
    return round(float(np.exp(found.x)), 4)
