"""One bias a label, by likelihood: the convex problem under both steps of a fit."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

_MOST_STEPS: Final = 100
_LEAST_STEP: Final = 1e-9
_SMALLEST_FRACTION: Final = 1e-4


def fit_biases(scores: Floats, counts: Floats, *, ridge: float, towards: Floats) -> Floats:
    """Return the biases under which labels are as frequent as in `counts`, but for the ridge.

    `scores` are texts × labels, `counts` how many of the texts have each label. The biases b
    minimise Σ logsumexp(scores + b) − counts·b + ridge/2·|b − towards|². With logarithms of a
    model's probabilities as scores that is the negative log likelihood of multinomial logistic
    regression whose only parameters are intercepts (Saerens, Latinne and Decaestecker, "Adjusting
    the Outputs of a Classifier to New a Priori Probabilities", 2002, fit the same model without
    labels). It is convex and solved by Newton's method with halved steps. The ridge, above 0, also
    pins what the likelihood leaves free: a number added to all biases.
    """
    biases = towards.copy()
    value = _value(scores, counts, biases, ridge, towards)
    for _ in range(_MOST_STEPS):
        shares = softmax_rows(scores + biases)
        expected = shares.sum(axis=0)
        gradient = expected - counts + ridge * (biases - towards)
        curvature = np.diag(expected + ridge) - shares.T @ shares
        step = np.linalg.solve(curvature, -gradient)
        if np.abs(step).max() < _LEAST_STEP:
            break
        fraction = 1.0
        while (
            after := _value(scores, counts, biases + fraction * step, ridge, towards)
        ) > value and fraction > _SMALLEST_FRACTION:
            fraction /= 2
        if after > value:
            break
        biases, value = biases + fraction * step, after
    return biases


def softmax_rows(scores: Floats) -> Floats:
    """Return the softmax of each row, shifted by its maximum so that nothing overflows."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def _value(scores: Floats, counts: Floats, biases: Floats, ridge: float, towards: Floats) -> float:
    moved = scores + biases
    most = moved.max(axis=1)
    log_sums = most + np.log(np.exp(moved - most[:, np.newaxis]).sum(axis=1))
    distance = biases - towards
    return float(log_sums.sum() - counts @ biases + ridge / 2 * (distance @ distance))
