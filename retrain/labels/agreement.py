"""How far do answers agree beyond chance? Krippendorff's alpha for labels without an order.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011. Of a unit with m answers each
of its m * (m - 1) ordered pairs weighs 1 / (m - 1), so that a unit counts as many answers as it
has. With n answers in all, n_c of them the label c, and o_cc the weight of the pairs (c, c):

    alpha = 1 - (n - 1) * (n - sum(o_cc)) / (n ** 2 - sum(n_c ** 2))

1 is full agreement, 0 what chance gives. Units with fewer than two answers say nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

RESAMPLES: Final = 2_000

Floats = npt.NDArray[np.float64]


class Agreement(Struct, frozen=True, kw_only=True):
    """Alpha with its 95 % interval, and on what it rests.

    `units` have at least two answers. `alpha` is None without such units, and where all answers are
    one label: then nothing tells agreement from habit. `same` is the share of pairs that agree.
    """

    units: int
    answers: int
    alpha: float | None
    low: float | None
    high: float | None
    same: float | None


def agreement(units: Iterable[Sequence[str]], *, seed: int = 1) -> Agreement:
    """Return how far the answers of each unit agree.

    The interval is the middle 95 % of 2,000 resamples of whole units (Efron's bootstrap); the same
    answers, in whatever order, give the same numbers.
    """
    # The order decides which unit a draw means.
    pairable = sorted(tuple(sorted(unit)) for unit in units if len(unit) > 1)
    answers = sum(map(len, pairable))
    if not pairable:
        return Agreement(units=0, answers=0, alpha=None, low=None, high=None, same=None)
    sums = _sums_of_each_unit(pairable)
    alpha = _alphas(sums.sum(axis=0, keepdims=True))[0]
    low, high = _interval(sums, seed)
    return Agreement(
        units=len(pairable),
        answers=answers,
        alpha=_rounded(alpha),
        low=_rounded(min(low, alpha)),
        high=_rounded(max(high, alpha)),
        same=_rounded(float(sums[:, 0].sum()) / answers),
    )


def _sums_of_each_unit(units: Sequence[Sequence[str]]) -> Floats:
    """Return units × (weight of agreeing pairs, answers of each label)."""
    labels = sorted({label for unit in units for label in unit})
    sums = np.zeros((len(units), 1 + len(labels)))
    for row, unit in zip(sums, units, strict=True):
        counts = Counter(unit)
        row[0] = sum(count * (count - 1) for count in counts.values()) / (len(unit) - 1)
        row[1:] = [counts[label] for label in labels]
    return sums


def _alphas(sums: Floats) -> Floats:
    """Return alpha of each row of sums; NaN where all its answers are one label."""
    agreeing, of_label = sums[:, 0], sums[:, 1:]
    answers = of_label.sum(axis=1)
    by_chance = answers**2 - (of_label**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(by_chance > 0, 1 - (answers - 1) * (answers - agreeing) / by_chance, np.nan)


def _interval(sums: Floats, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    even = np.full(len(sums), 1 / len(sums))
    resampled = np.vstack([rng.multinomial(len(sums), even) @ sums for _ in range(RESAMPLES)])
    alphas = _alphas(resampled)
    known = alphas[~np.isnan(alphas)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
