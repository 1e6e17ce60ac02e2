"""A signal's level by hour, and how far windows stray from it: robust, and shrunk.

Nothing here knows of tweets, so that simulated years go through the same arithmetic.
"""

from typing import Final

import numpy as np
from msgspec import Struct

from retrain.drift.detectors.alarm_gate import Ints
from retrain.drift.detectors.e_detector import BETS, CLIP, PRICE, Floats

HOURS_OF_DAY: Final = 24
HOURS_OF_WEEK: Final = 168
_MAD_TO_DEVIATION: Final = 1.4826
_LEAST_SURPRISE: Final = 0.3
_WIDER: Final = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0)
_FOLDS: Final = 7
_LEAP: Final = 3.0
_MEMORIES: Final = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_GAINS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


class Baseline(Struct, frozen=True, kw_only=True):
    """Levels of one signal: `levels` has one for each hour of the week, of the day, or one.

    `scale` is the standard deviation of a window of `typical_tweets` tweets about its level.
    Windows announce the next ones, as `surprise_of` says, with `memory` and `gain`; `surprise` is
    the deviation, in scales, of what nothing announced.
    """

    levels: tuple[float, ...]
    scale: float
    memory: float
    gain: float
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
) -> Baseline:
    """Fit a baseline to windows in order of time.

    `hours` are whole hours since a Monday 0:00 UTC. Levels are by hour of the week from four
    weeks on, by hour of the day from two days on, else one. They are medians,
    smoothed over neighbouring hours and shrunk towards the coarser ones by what chance adds to
    them (empirical Bayes). Scale, memory and surprise are measured on days that the levels
    were not fitted on, so they hold what the levels do not know.
    """
    season = season_of(hours, hours_a_window)
    levels = _levels(values, hours, season)
    strays = values - held_out_levels(values, hours, season)
    typical = float(np.median(tweets)) if len(tweets) else 1.0
    steadied = strays / np.sqrt(np.maximum(1.0, typical / np.maximum(tweets, 1.0)))
    scale = max(_deviation(steadied), least_scale)
    memory, gain, left = _forecast(steadied / scale, hours, hours_a_window)
    return Baseline(
        levels=tuple(levels.tolist()),
        scale=scale,
        memory=memory,
        gain=gain,
        surprise=calibrated_surprise(left),
        typical_tweets=typical,
    )


def guessed_baseline(values: Floats, scale: float) -> Baseline:
    """Return a baseline of too few windows to measure more than a level; the rest is guessed."""
    return Baseline(
        levels=(float(np.median(values)),),
        scale=scale,
        memory=0.8,
        gain=0.5,
        surprise=1.0,
        typical_tweets=1.0,
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


def surprise_of(
    z: Floats, announced: Floats, memory: Floats | float, gain: Floats | float
) -> tuple[Floats, Floats]:
    """Return what `z` says beyond what was announced of it, and what it announces of the next.

    That is simple exponential smoothing which decays towards the level, the best forecast of an
    AR(1) that is seen through noise. A leap is no noise: the forecast goes all the way with it, so
    that a burst which fades surprises once.
    """
    left = z - announced
    return left, memory * (announced + np.where(np.abs(left) > _LEAP, 1.0, gain) * left)


def _forecast(z: Floats, hours: Ints, hours_a_window: float) -> tuple[float, float, Floats]:
    """Return the memory and the gain that forecast best, and what they leave of each window."""
    memory, gain = (grid.ravel() for grid in np.meshgrid(_MEMORIES, _GAINS))
    gaps = np.maximum(1, np.rint(np.diff(hours) / hours_a_window)).astype(np.int64).tolist()
    announced = np.zeros(len(memory))
    left = np.empty((len(z), len(memory)))
    for place, gap in enumerate([*gaps, 1]):
        left[place], announced = surprise_of(z[place], announced, memory, gain)
        if gap > 1:
            announced = announced * memory ** (gap - 1)
    errors = np.square(np.clip(left, -_LEAP, _LEAP)).mean(axis=0)
    best = int(errors.argmin())
    return float(memory[best]), float(gain[best]), left[:, best]


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
