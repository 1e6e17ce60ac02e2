"""How far a figure might be from itself on other texts of the same kind: the bootstrap.

Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979; percentile intervals.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Floats: TypeAlias = npt.NDArray[np.float64]

RESAMPLES: Final = 2_000
_CELLS_AT_ONCE: Final = 2_000_000


class Figure(Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval; None where there was nothing to measure."""

    value: float | None
    low: float | None
    high: float | None


def resampled_sums(parts: Sequence[Any], *, resamples: int, seed: int) -> list[Floats]:
    """Return, for each matrix of texts × sums, resamples × sums.

    Each resample draws as many texts as there are, with replacement; all matrices get the same
    draws, so that differences between them are paired. The same seed gives the same numbers.
    """
    texts = parts[0].shape[0]
    results = [np.empty((resamples, part.shape[1])) for part in parts]
    start = 0
    for weights in _draws(texts, resamples, np.random.default_rng(seed)):
        for part, result in zip(parts, results, strict=True):
            result[start : start + len(weights)] = (part.T @ weights.T).T
        start += len(weights)
    return results


def _draws(
    texts: int, resamples: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.float64]]:
    """Yield how often each text is drawn, some resamples at a time."""
    at_once = max(1, _CELLS_AT_ONCE // texts)
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = rng.integers(0, texts, size=(count, texts))
        drawn += np.arange(count)[:, None] * texts
        counts = np.bincount(drawn.ravel(), minlength=count * texts)
        yield counts.reshape(count, texts).astype(np.float64)


def figure(value: float, resampled: Floats) -> Figure:
    """Return a figure with the interval that holds the middle 95 % of its resamples.

    The interval always holds the figure itself: resampling adds noise to every bin of a
    calibration error, so all its resamples may be larger.
    """
    known = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not known.size:
        return Figure(value=None, low=None, high=None)
    low, high = np.quantile(known, (0.025, 0.975))
    return Figure(
        value=_rounded(value),
        low=_rounded(min(float(low), value)),
        high=_rounded(max(float(high), value)),
    )


def _rounded(value: float) -> float:
    return round(float(value), 6)
