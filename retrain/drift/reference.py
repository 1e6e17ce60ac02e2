"""What a stream is like while nothing is wrong: the levels that windows are held against.

A reference is of one rule (`ALL_RULES`: of everything) and belongs to one model: another model's
answers are not comparable with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Final

import numpy as np
from msgspec import Struct

from retrain.drift.alarm import ComparedWith, Signal
from retrain.drift.baseline import (
    Baseline,
    fit_baseline,
    guessed_baseline,
    held_out_levels,
    season_of,
)
from retrain.drift.detectors.alarm_gate import Ints
from retrain.drift.detectors.e_detector import Floats
from retrain.drift.detectors.population_stability import distance, population_stability
from retrain.drift.signals import SignalKey, observe
from retrain.drift.window import ALL_RULES, Window, WindowCounts
from schemas.failures import Failure

HOUR: Final = timedelta(hours=1)
MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
FEW_WINDOWS: Final = 24
"""With fewer, nobody knows how far windows stray: `WIDE_SCALE` is taken, which is guessed."""

LEAST_PART: Final = 0.1
"""A window with less than this part of the typical number of tweets teaches nothing but volume."""

LEAST_LANGUAGE_SHARE: Final = 0.005
MOST_HASHTAGS: Final = 2_000

LEAST_SCALE: Final = {
    Signal.LABEL_SHARE: 0.002,
    Signal.CONFIDENCE: 0.001,
    Signal.LOW_CONFIDENCE: 0.002,
    Signal.ESTIMATED_ACCURACY: 0.001,
    Signal.TEXT_LENGTH: 0.005,
    Signal.PIECES_PER_WORD: 0.005,
    Signal.UNKNOWN_PIECES: 0.0005,
    Signal.VOLUME: 0.02,
    Signal.LABEL_DISTRIBUTION: 0.1,
    Signal.LANGUAGE: 0.3,
}
"""No window is held to less than this, however equal the windows of a reference were."""

WIDE_SCALE: Final = {
    Signal.LABEL_SHARE: 0.04,
    Signal.CONFIDENCE: 0.02,
    Signal.LOW_CONFIDENCE: 0.03,
    Signal.ESTIMATED_ACCURACY: 0.02,
    Signal.TEXT_LENGTH: 0.1,
    Signal.PIECES_PER_WORD: 0.05,
    Signal.UNKNOWN_PIECES: 0.005,
    Signal.VOLUME: 0.7,
    Signal.LABEL_DISTRIBUTION: 1.0,
    Signal.LANGUAGE: 1.0,
}


class Reference(Struct, frozen=True, kw_only=True):
    """Baselines by the name of their signal (`label_share:negative`), of a span of time.

    `windows` and `tweets` say how many it is of, retweets left out. `languages` are the shares of
    those that were seen, "" for unknown ones. `tolerated_error` is the share of wrong answers up to
    which audits raise no alarm; without one they raise none. `compared_with` says whether it is of
    a span of the stream, or of the texts that the model was validated on. `hashtags` are the
    highest shares that hashtags had in a window, at most `MOST_HASHTAGS`; None: nobody counted.
    """

    run: str
    rule: str
    model_sha256: str
    start: datetime
    end: datetime
    window_s: float
    windows: int
    tweets: int
    labels: tuple[str, ...]
    languages: dict[str, float]
    baselines: dict[str, Baseline]
    tolerated_error: float | None = None
    compared_with: ComparedWith = ComparedWith.STREAM
    hashtags: dict[str, float] | None = None

    def baseline(self, key: SignalKey) -> Baseline | None:
        """Return what is known of a signal, if anything is."""
        return self.baselines.get(str(key))


def build_reference(
    windows: Iterable[Window],
    *,
    window: timedelta = HOUR,
    hashtags: Mapping[str, float] | None = None,
) -> Reference:
    """Make a reference of windows of one run, rule and model; `window` is their length.

    The order of the windows does not matter, and empty ones may be left out. With fewer than
    `FEW_WINDOWS` windows, as from a bundle's validation texts, there is no season, no volume, and
    nothing measured of how far windows stray: no rate of false alarms can be promised then.
    Without any tweet there is nothing to make a reference of: `Failure`.
    """
    held = sorted((one for one in windows if one.counts.judged), key=lambda one: one.key.start)
    if not held:
        raise Failure("there are no scored tweets in this span: choose a longer one")
    key = held[0].key
    if any((one.key.rule, one.key.model_sha256) != (key.rule, key.model_sha256) for one in held):
        raise ValueError("a reference is of one rule and one model")
    total = sum((one.counts for one in held), start=WindowCounts())
    languages = {
        name: count / total.judged
        for name, count in total.by_language.items()
        if count >= LEAST_LANGUAGE_SHARE * total.judged
    }
    typical = float(np.median([one.counts.judged for one in held]))
    ample = [one for one in held if one.counts.judged >= LEAST_PART * typical]
    labels = tuple(sorted(total.by_label))
    return Reference(
        run=key.run,
        rule=key.rule,
        model_sha256=key.model_sha256,
        start=key.start,
        end=held[-1].key.start + window,
        window_s=window.total_seconds(),
        windows=len(held),
        tweets=total.judged,
        labels=labels,
        languages=languages,
        baselines={
            str(name): baseline for name, baseline in _baselines(ample, labels, languages, window)
        }
        | _volume(held, window),
        hashtags=None
        if hashtags is None
        else dict(sorted(nlargest(MOST_HASHTAGS, hashtags.items(), key=lambda one: one[1]))),
    )


def hour_of_week(start: datetime) -> int:
    """Return the hour since Monday 0:00 UTC that a window begins in."""
    return (start - MONDAY) // HOUR % 168


def hours_of(starts: Sequence[datetime]) -> Ints:
    """Return whole hours since a Monday 0:00 UTC."""
    return np.array([(start - MONDAY) // HOUR for start in starts], dtype=np.int64)


def label_distance(counts: WindowCounts, expected: Mapping[str, float]) -> float:
    """Return how far the labels are from those expected, by the stability index."""
    # Levels are medians, which need not sum to 1; a model has no other labels.
    total = sum(expected.values()) or 1.0
    shares = {label: share / total for label, share in expected.items()}
    return float(distance(population_stability(counts.by_label, shares)))


def language_distance(counts: WindowCounts, expected: Mapping[str, float]) -> float:
    """Return how far the languages are from those expected, by the stability index."""
    return float(distance(population_stability(counts.by_language, expected)))


def _baselines(
    windows: Sequence[Window],
    labels: Sequence[str],
    languages: Mapping[str, float],
    window: timedelta,
) -> Iterable[tuple[SignalKey, Baseline]]:
    """Yield the baselines of everything but volume."""
    observed = [observe(one.counts, one.key.rule, labels) for one in windows]
    tweets = np.array([one.counts.judged for one in windows], dtype=np.float64)
    hours = hours_of([one.key.start for one in windows])
    for key in sorted({key for one in observed for key in one if key.signal is not Signal.VOLUME}):
        held = np.array([key in one for one in observed])
        values = np.array([one[key] for one in observed if key in one])
        yield key, _fit(key.signal, values, tweets[held], hours[held], window)
    if windows[0].key.rule != ALL_RULES:
        return
    season = season_of(hours, window / HOUR)
    expected = {
        label: held_out_levels(
            np.array([one[SignalKey(Signal.LABEL_SHARE, label)] for one in observed]), hours, season
        )
        for label in labels
    }
    by_label = [
        label_distance(one.counts, {label: float(at[place]) for label, at in expected.items()})
        for place, one in enumerate(windows)
    ]
    by_language = [language_distance(one.counts, languages) for one in windows]
    for signal, distances in (
        (Signal.LABEL_DISTRIBUTION, by_label),
        (Signal.LANGUAGE, by_language),
    ):
        yield SignalKey(signal), _fit(signal, np.array(distances), tweets, hours, window)


def _volume(windows: Sequence[Window], window: timedelta) -> dict[str, Baseline]:
    """Return the baseline of volume; hours without a window count as hours without a tweet."""
    if len(windows) < FEW_WINDOWS:
        return {}
    first, last = windows[0].key.start, windows[-1].key.start
    starts = [first + place * window for place in range((last - first) // window + 1)]
    tweets = {one.key.start: one.counts.originals for one in windows}
    values = np.log1p([tweets.get(start, 0) for start in starts])
    ones = np.ones(len(starts))
    baseline = _fit(Signal.VOLUME, values, ones, hours_of(starts), window)
    return {str(SignalKey(Signal.VOLUME)): baseline}


def _fit(
    signal: Signal,
    values: Floats,
    tweets: Floats,
    hours: Ints,
    window: timedelta,
) -> Baseline:
    if len(values) < FEW_WINDOWS:
        return guessed_baseline(values, WIDE_SCALE[signal])
    return fit_baseline(
        values, tweets, hours, hours_a_window=window / HOUR, least_scale=LEAST_SCALE[signal]
    )
