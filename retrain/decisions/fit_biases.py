"""One bias a label, by likelihood: the convex problem under both steps of a fit."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

_MOST_STEPS: Final = 100
LEAST_STEP: Final = 1e-9
_SMALLEST_FRACTION: Final = 1e-4


def fit_biases(
    scores: Floats,
    counts: Floats,
    *,
    ridge: float,
    towards: Floats,
    least_step: float = LEAST_STEP,
) -> Floats:
    """Return the biases under which labels are as frequent as in `counts`, but for the ridge.

    `scores` are texts × labels, `counts` how many of the texts have each label. The biases b
    minimise Σ logsumexp(scores + b) − counts·b + ridge/2·|b − towards|². With logarithms of a
    model's probabilities as scores that is the negative log likelihood of multinomial logistic
    regression whose only parameters are intercepts (Saerens, Latinne and Decaestecker, "Adjusting
    the Outputs of a Classifier to New a Priori Probabilities", 2002, fit the same model without
    labels). It is convex and solved by Newton's method with halved steps. The ridge, above 0, also
    pins what the likelihood leaves free: a number added to all biases. It ends at a step below
    `least_step`.
    """
    biases = towards.copy()
    value, shares = _value(scores, counts, biases, ridge, towards)
    for _ in range(_MOST_STEPS):
        expected = shares.sum(axis=0)
        gradient = expected - counts + ridge * (biases - towards)
        curvature = np.diag(expected + ridge) - shares.T @ shares
        step = np.linalg.solve(curvature, -gradient)
        if np.abs(step).max() < least_step:
            break
        fraction = 1.0
        after, shares = _value(scores, counts, biases + step, ridge, towards)
        while after > value and fraction > _SMALLEST_FRACTION:
            fraction /= 2
            after, shares = _value(scores, counts, biases + fraction * step, ridge, towards)
        if after > value:
            break
        biases, value = biases + fraction * step, after
    return biases


def softmax_rows(scores: Floats) -> Floats:
    """Return the softmax of each row, shifted by its maximum so that nothing overflows."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def _value(
    scores: Floats, counts: Floats, biases: Floats, ridge: float, towards: Floats
) -> tuple[float, Floats]:
    """Return what is minimised, and the softmax of each row."""
    moved = scores + biases
    most = moved.max(axis=1, keepdims=True)
    exponentials = np.exp(moved - most)
    sums = exponentials.sum(axis=1, keepdims=True)
    distance = biases - towards
    value = (most + np.log(sums)).sum() - counts @ biases + ridge / 2 * (distance @ distance)
    return float(value), exponentials / sums
