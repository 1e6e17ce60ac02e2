"""The temperature that makes confidence mean what it says."""

from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from model_server.engine import Probabilities
from retrain.evaluation.answers import Indices

COLDEST: Final = 0.01
HOTTEST: Final = 100.0


def best_temperature(probabilities: Probabilities, truth: Indices) -> float:
    """Return the temperature with the least cross-entropy, within .01 and 100, to four decimals.

    `probabilities` were given at temperature 1. One number on a validation split is enough to
    calibrate, and changes no label (Guo and others, "On Calibration of Modern Neural Networks",
    2017).
    """
    # Logits but for a constant in each row, which the softmax takes away again.
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    rows = np.arange(len(truth))

    def cross_entropy(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[rows, truth].mean())

    found = minimize_scalar(
        cross_entropy, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded"
    )
    return round(float(np.exp(found.x)), 4)
