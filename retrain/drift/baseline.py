"""A signal's level by hour, and how far windows stray from it: robust, and shrunk.

Nothing here knows of tweets, so that simulated years go through the same arithmetic.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from retrain.drift.detectors.alarm_gate import Ints
from retrain.drift.detectors.e_detector import BETS, CLIP, PRICE, Floats

HOURS_OF_DAY: Final = 24
HOURS_OF_WEEK: Final = 168
_MAD_TO_DEVIATION: Final = 1.4826
_LEAST_SURPRISE: Final = 0.5
_WIDER: Final = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0)
_FOLDS: Final = 7
_MOST_AUTOCORRELATION: Final = 0.95


class Baseline(Struct, frozen=True, kw_only=True):
    """Levels of one signal: `levels` has one for each hour of the week, of the day, or one.

    `scale` is the standard deviation of a window of `typical_tweets` tweets about its level,
    `autocorrelation` that of neighbouring windows, and `surprise` the deviation of what is left of
    a window once the one before it has told what to expect: 1 for a normal AR(1).
    """

    levels: tuple[float, ...]
    scale: float
    autocorrelation: float
    surprise: float
    typical_tweets: float

    def level(self, hour_of_week: int) -> float:
        """Return the level at an hour of the week (0: Monday from 0:00 to 1:00 UTC)."""
        return self.levels[hour_of_week % len(self.levels)]


def fit_baseline(
    values: Floats,
    tweets: Floats,
    hours: Ints,
    *,
    hours_a_window: float,
    least_scale: float,
    flat: bool = False,
) -> Baseline:
    """Fit a baseline to windows in order of time.

    `hours` are whole hours since a Monday 0:00 UTC. Levels are by hour of the week from four
    weeks on, by hour of the day from two days on, else one (also if `flat`). They are medians,
    smoothed over neighbouring hours and shrunk towards the coarser ones by what chance adds to
    them (empirical Bayes). Scale, autocorrelation and surprise are measured on days that the levels
    were not fitted on, so they hold what the levels do not know.
    """
    season = 1 if flat else season_of(hours, hours_a_window)
    levels = _levels(values, hours, season)
    strays = values - held_out_levels(values, hours, season)
    typical = float(np.median(tweets)) if len(tweets) else 1.0
    steadied = strays / np.sqrt(np.maximum(1.0, typical / np.maximum(tweets, 1.0)))
    scale = max(_deviation(steadied), least_scale)
    z = np.clip(steadied / scale, -4, 4)
    neighbours = np.diff(hours) <= max(1.0, hours_a_window)
    autocorrelation = _autocorrelation(z, neighbours)
    surprise = 1.0
    if neighbours.sum() >= HOURS_OF_DAY:
        left = whiten(steadied[1:] / scale, steadied[:-1] / scale, autocorrelation)
        surprise = calibrated_surprise(left[neighbours])
    return Baseline(
        levels=tuple(levels.tolist()),
        scale=scale,
        autocorrelation=autocorrelation,
        surprise=surprise,
        typical_tweets=typical,
    )


def season_of(hours: Ints, hours_a_window: float) -> int:
    """Return how many levels the windows can tell apart: 168, 24 or 1."""
    span_h = float(hours[-1] - hours[0]) + hours_a_window
    if span_h < 2 * HOURS_OF_DAY or hours_a_window > 6:
        return 1
    return HOURS_OF_WEEK if span_h >= 4 * HOURS_OF_WEEK else HOURS_OF_DAY


def held_out_levels(values: Floats, hours: Ints, season: int) -> Floats:
    """Return each window's level, fitted on other days or weeks than its own."""
    expected = _levels(values, hours, season)[hours % season]
    if season > 1:
        blocks = (hours - hours[0]) // season
        folds = blocks % min(_FOLDS, int(blocks.max()) + 1)
        for fold in np.unique(folds):
            out = folds == fold
            if not out.all():
                kept = _levels(values[~out], hours[~out], season)
                expected[out] = kept[hours[out] % season]
    return expected


def whiten(z: Floats, before: Floats, autocorrelation: Floats | float) -> Floats:
    """Return what `z` says beyond the window before it: of variance 1 if `z` is an AR(1)."""
    left: Floats = (z - autocorrelation * before) / np.sqrt(1 - np.square(autocorrelation))
    return left


def calibrated_surprise(left: Floats) -> float:
    """Return the least deviation by which no bet of the e-detector would have won on average.

    It is at most twice the robust one: the reference itself may hold a mishap.
    """
    robust = max(_LEAST_SURPRISE, _deviation(left))
    for factor in _WIDER:
        clipped = np.clip(left / (robust * factor), -CLIP, CLIP)
        gains = np.exp(BETS[:, np.newaxis] * np.stack([clipped, -clipped])[:, np.newaxis])
        if (gains.mean(axis=-1) <= np.exp(PRICE)).all():
            break
    return float(robust * factor)


def _levels(values: Floats, hours: Ints, season: int) -> Floats:
    """Return the level of each hour of the season."""
    overall = np.full(1, np.median(values))
    if season == 1:
        return overall
    by_day = _shrunk(values, hours % HOURS_OF_DAY, np.repeat(overall, HOURS_OF_DAY))
    if season == HOURS_OF_DAY:
        return by_day
    return _shrunk(values, hours % HOURS_OF_WEEK, np.tile(by_day, 7))


def _shrunk(values: Floats, slots: Ints, coarser: Floats) -> Floats:
    """Return finer levels than `coarser`, as far as the values show that there are such."""
    strays = values - coarser[slots]
    medians, counts = _medians(strays, slots, len(coarser))
    smooth = 0.25 * np.roll(medians, 1) + 0.5 * medians + 0.25 * np.roll(medians, -1)
    within = _deviation(strays - medians[slots]) ** 2
    # Of a median of n, against a mean π/2 times; smoothing over neighbours leaves 3/8 of it.
    chance = within * np.pi / 2 * 0.375 / max(1.0, float(counts.mean()))
    between = max(0.0, float(np.var(smooth)) - chance)
    kept = between / (between + chance) if between + chance > 0 else 0.0
    return coarser + kept * smooth


def _medians(values: Floats, slots: Ints, count: int) -> tuple[Floats, Ints]:
    """Return the median of each slot (0 where it is empty), and how many values it has."""
    order = np.lexsort((values, slots))
    ordered = values[order]
    counts = np.bincount(slots, minlength=count)
    ends = np.cumsum(counts)
    low = np.clip(ends - counts + (counts - 1) // 2, 0, len(values) - 1)
    high = np.clip(ends - counts + counts // 2, 0, len(values) - 1)
    return np.where(counts > 0, (ordered[low] + ordered[high]) / 2, 0.0), counts


def _deviation(values: Floats) -> float:
    """Return the standard deviation by the median of absolute deviations from 0."""
    return float(_MAD_TO_DEVIATION * np.median(np.abs(values))) if len(values) else 0.0


def _autocorrelation(z: Floats, neighbours: npt.NDArray[np.bool_]) -> float:
    """Return the correlation of neighbouring windows, between 0 and .95."""
    if neighbours.sum() < HOURS_OF_DAY:
        return 0.0
    one, other = z[:-1][neighbours], z[1:][neighbours]
    spread = float((one**2).mean() * (other**2).mean()) ** 0.5
    found = float((one * other).mean()) / spread if spread > 0 else 0.0
    return min(max(found, 0.0), _MOST_AUTOCORRELATION)
