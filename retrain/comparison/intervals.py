"""Figures with 95 % intervals, from counts and sums. Pure."""

import math
from typing import Final

from retrain.evaluation.bootstrap import Figure

Z: Final = 1.959964


def share(count: int, of: int) -> Figure:
    """Return a share with Wilson's interval (1927); all None where there is nothing."""
    if not of:
        return Figure(value=None, low=None, high=None)
    value = count / of
    scale = 1 + Z**2 / of
    middle = (value + Z**2 / (2 * of)) / scale
    half = Z / scale * math.sqrt(value * (1 - value) / of + Z**2 / (4 * of**2))
    return _figure(value, max(0.0, middle - half), min(1.0, middle + half))


def difference_of_shares(first: Figure, second: Figure) -> Figure:
    """Return second - first, of independent samples: Newcombe's interval (1998, method 10)."""
    if (
        first.value is None
        or first.low is None
        or first.high is None
        or second.value is None
        or second.low is None
        or second.high is None
    ):
        return Figure(value=None, low=None, high=None)
    value = second.value - first.value
    low = value - math.hypot(second.value - second.low, first.high - first.value)
    high = value + math.hypot(second.high - second.value, first.value - first.low)
    return _figure(value, low, high)


def mean(total: float, squares: float, count: int) -> Figure:
    """Return a mean with the normal interval, from the sum and the sum of squares."""
    if not count:
        return Figure(value=None, low=None, high=None)
    value = total / count
    variance = max(0.0, squares / count - value**2)
    half = Z * math.sqrt(variance / count)
    return _figure(value, value - half, value + half)


def paired_difference(gained: int, lost: int, of: int) -> Figure:
    """Return (gained - lost) / of: how much a share rises, where each text moves by 1, 0 or -1."""
    return mean(gained - lost, gained + lost, of)


def mcnemar(first_alone: int, second_alone: int) -> float | None:
    """Return the two-sided p of McNemar's exact test; None where no text tells them apart.

    It is the chance of a split at least as uneven, if either were right as often as the other
    where just one of both is (McNemar, 1947; the binomial form).
    """
    total = first_alone + second_alone
    if not total:
        return None
    fewest = min(first_alone, second_alone)
    logs = (
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        for k in range(fewest + 1)
    )
    tail = math.fsum(math.exp(log - total * math.log(2)) for log in logs)
    return round(min(1.0, 2 * tail), 6)


def _figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=round(value, 6), low=round(low, 6), high=round(high, 6))
