"""The population stability index: how far all shares together are from those expected.

    PSI = Σ (p - q) · ln(p / q)     p: shares in the window, q: shares expected at this hour

It is the symmetric Kullback-Leibler divergence (Jeffreys 1946). Two things make it usable on a
stream: q is that of the same hour, and what chance alone adds, (categories - 1) / n, is taken off.
Rules of thumb (.1, .2) say nothing of false alarms, so it is a signal as others are, as a distance
(`distance`): it goes through the e-detector, upwards only, and an alarm also needs an effect.

>>> expected = {"negative": 0.3, "neutral": 0.4, "positive": 0.3}
>>> round(population_stability({"negative": 300, "neutral": 400, "positive": 300}, expected), 3)
-0.002
>>> round(population_stability({"negative": 500, "neutral": 300, "positive": 200}, expected), 3)
0.169
"""

from collections.abc import Mapping
from math import exp
from typing import Final

import numpy as np

from retrain.drift.detectors.e_detector import Floats

_HALF: Final = 0.5
"""Added to each count, so that no share is 0."""


STEADIER: Final = 0.003
"""Added before the logarithm is taken: near 0 an index is all chance."""


def distance(index: Floats | float) -> Floats:
    """Return an index on a scale where equal moves are alike."""
    moved: Floats = np.log(np.maximum(STEADIER / 2, np.asarray(index) + STEADIER))
    return moved


def index_of(moved: float) -> float:
    """Return the index, at least 0, that has this distance."""
    return max(0.0, exp(moved) - STEADIER)


def population_stability(counts: Mapping[str, int], expected: Mapping[str, float]) -> float:
    """Return the index of counts against the shares expected; by chance it is 0 on average.

    What is not among the expected ones is counted together, as one more category, of which what
    the expected shares leave is expected. Shares that add up to more than 1 are scaled down.
    Counts without any tweet, or nothing expected, give 0.
    """
    tweets = sum(counts.values())
    total = sum(expected.values())
    if not tweets or total <= 0:
        return 0.0
    observed = [counts.get(name, 0) for name in expected]
    wanted = [share / max(1.0, total) for share in expected.values()]
    other = tweets - sum(observed)
    if other or total < 1 - 1e-9:
        observed, wanted = [*observed, other], [*wanted, max(0.0, 1.0 - total)]
    return float(stability_index(np.array(observed, dtype=np.float64), np.array(wanted)))


def stability_index(counts: Floats, expected: Floats) -> Floats:
    """Return the index along the last axis: counts against the shares expected, which sum to 1."""
    categories = counts.shape[-1]
    tweets = counts.sum(axis=-1, keepdims=True)
    smoothed = np.maximum(1.0, tweets) + _HALF * categories
    p = (counts + _HALF) / smoothed
    q = (expected * tweets + _HALF) / smoothed
    by_chance = (categories - 1) / np.maximum(1.0, tweets[..., 0])
    index: Floats = ((p - q) * np.log(p / q)).sum(axis=-1) - by_chance
    return index
