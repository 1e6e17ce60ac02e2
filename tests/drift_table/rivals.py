"""What others watch a stream with, on the same simulated years: tests by the hour, and ADWIN."""

import numpy as np
import numpy.typing as npt

from retrain.drift.detectors.e_detector import Floats
from tests.drift_table.streams import REFERENCE_H, Years

Bools = npt.NDArray[np.bool_]

CHI_SQUARE_05_2 = 5.991
KOLMOGOROV_05 = 1.358
_ADWIN_DELTA = 0.002
_ADWIN_MOST_HOURS = 720
_BINS = 50
_REFERENCE_TWEETS = 20_000


def chi_square(years: Years) -> Bools:
    """Return in which hours labels differ from the reference's at p < .05, alone."""
    reference = years.counts[:, :REFERENCE_H].sum(axis=1)
    shares = (reference / reference.sum(axis=-1, keepdims=True))[:, np.newaxis]
    after = years.counts[:, REFERENCE_H:]
    expected = np.maximum(1e-9, after.sum(axis=-1, keepdims=True) * shares)
    fires: Bools = ((after - expected) ** 2 / expected).sum(axis=-1) > CHI_SQUARE_05_2
    return fires


def kolmogorov_smirnov(years: Years, rng: np.random.Generator, streams: int) -> Bools:
    """Return in which hours confidences differ from a sample of the reference at p < .05.

    Confidences about the hour's mean are logistic, in 50 bins: a coarse test fires less.
    """
    means = years.signals["confidence"][:streams]
    scale = 0.17 * 3**0.5 / np.pi
    edges = 0.75 + scale * np.log(np.arange(1, _BINS) / np.arange(_BINS - 1, 0, -1))
    below = 1 / (1 + np.exp(-(edges - means[..., np.newaxis]) / scale))
    ends = np.ones((*means.shape, 1))
    bins = np.diff(np.concatenate([0 * ends, below, ends], axis=-1), axis=-1).clip(0)
    counts = rng.multinomial(years.tweets[:streams].astype(np.int64), bins)
    known = bins[:, :REFERENCE_H].mean(axis=1)
    sample = rng.multinomial(_REFERENCE_TWEETS, known / known.sum(axis=-1, keepdims=True))
    tweets = np.maximum(1, counts.sum(axis=-1))
    apart = np.cumsum(counts, axis=-1) / tweets[..., np.newaxis]
    apart = np.abs(apart - np.cumsum(sample, axis=-1)[:, np.newaxis] / _REFERENCE_TWEETS)
    critical = KOLMOGOROV_05 * np.sqrt(1 / tweets + 1 / _REFERENCE_TWEETS)
    fires: Bools = (apart.max(axis=-1) > critical)[:, REFERENCE_H:]
    return fires


def adwin(values: Floats) -> Bools:
    """Return when ADWIN (Bifet, Gavaldà 2007; δ = .002) cuts a series of hourly shares.

    Every cut is tried, as in the paper's first version, over at most 30 days.
    """
    fires = np.zeros(len(values), dtype=bool)
    start = 0
    for end in range(2, len(values) + 1):
        start = max(start, end - _ADWIN_MOST_HOURS)
        window = values[start:end]
        sums, sizes = np.cumsum(window)[:-1], np.arange(1, len(window))
        rest = len(window) - sizes
        means = sums / sizes, (window.sum() - sums) / rest
        harmonic = 1 / (1 / sizes + 1 / rest)
        doubt = np.log(2 * np.log(len(window) + 1) / _ADWIN_DELTA)
        cut = np.sqrt(2 / harmonic * window.var() * doubt) + 2 / (3 * harmonic) * doubt
        found = np.flatnonzero(np.abs(means[0] - means[1]) > cut)
        if len(found):
            fires[end - 1] = True
            start += int(found[-1]) + 1
    return fires
