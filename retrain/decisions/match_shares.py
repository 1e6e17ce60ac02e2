"""From biases that make probabilities right to biases that make the shares of labels right.

Taking the likeliest label makes frequent labels more frequent: where each text is neutral with
probability .6, all of them become neutral. So the chosen labels have other shares than the
probabilities say, also when those are right.
"""

from typing import Final

import numpy as np

from retrain.decisions.fit_biases import Floats, fit_biases

_TEMPERATURES: Final = (0.3, 0.1, 0.03)
_LEAST_STEP: Final = 1e-4
_RIDGE: Final = 0.01
"""Only to pin what the shares leave free."""


def match_shares(scores: Floats, shares: Floats, *, start: Floats) -> Floats:
    """Return biases under which the labels with the largest sums have these shares, nearly.

    `scores` are texts × labels, `shares` sum to 1, `start` are the biases to begin at. The biases
    are those of an optimal assignment of texts to labels with given shares (semi-discrete optimal
    transport: Peyré and Cuturi, "Computational Optimal Transport", 2019, chapter 5), found by its
    entropic smoothing with a temperature that falls. What is left is below the share of one text
    in a few hundred, where there are thousands of them.
    """
    counts = len(scores) * shares
    biases = start
    for temperature in _TEMPERATURES:
        biases = temperature * fit_biases(
            scores / temperature,
            counts,
            ridge=_RIDGE,
            towards=biases / temperature,
            least_step=_LEAST_STEP,
        )
    return biases


def label_shares(chosen: "np.typing.NDArray[np.int64]", labels: int) -> Floats:
    """Return the share of each label among the chosen ones, given by their columns."""
    counts: Floats = np.bincount(chosen, minlength=labels) / max(1, len(chosen))
    return counts


def total_variation(one: Floats, other: Floats) -> float:
    """Return half the sum of the absolute differences: the share that lies in the wrong label."""
    return float(np.abs(one - other).sum() / 2)
