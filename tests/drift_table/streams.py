"""Simulated years of a stream, hour by hour, all of them at once.

A stream has a daily cycle of ±6 points in the shares and ±.015 in confidence, a weekly one of a
sixth of that, topics that burst (an AR(1) with a correlation of .8 between hours and t₄ shocks),
24 retweet storms a year (one text that is a fifth to half of all tweets, fading in hours), an
outage of a day, and a change of rules after which half as many tweets again come, of the same mix.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrain.drift.detectors.e_detector import Floats

DAY, WEEK, YEAR = 24, 168, 8_760
REFERENCE_H = 4 * WEEK
SHARES = np.array([0.30, 0.45, 0.25])
TWEETS = 1_000
BURST = 0.8
STORMS_A_YEAR = 24


@dataclass(frozen=True)
class Shift:
    """What changes at `hour`, for good: points of the first label (from the second), confidence."""

    hour: int
    share: float = 0.0
    confidence: float = 0.0
    length: float = 0.0
    volume: float = 1.0


@dataclass(frozen=True)
class Years:
    """Streams × hours (× labels); `seen` is false in the outage, which with
    its day after is no quiet time for the volume; nor is what follows `rules_change`."""

    counts: npt.NDArray[np.int64]
    tweets: Floats
    seen: npt.NDArray[np.bool_]
    signals: dict[str, Floats]
    rules_change: npt.NDArray[np.int64]


def simulate(
    rng: np.random.Generator,
    streams: int,
    hours: int,
    *,
    shift: Shift | None = None,
    troubles: bool = True,
    heavy: bool = True,
    retweets_counted: bool = False,
    bursts_sd: float = 0.012,
    reference_h: int = REFERENCE_H,
) -> Years:
    """Return streams of `hours` hours that begin on a Monday.

    `troubles` are the storms, the outage and the change of rules, after the reference; `heavy`
    tails are those of Student's t with four degrees of freedom, else normal. The storms are
    retweets, which the watch leaves out; `retweets_counted` shows what they would do.
    Topics move the first label's share by `bursts_sd`.
    """
    at = np.arange(hours)
    day, week = np.cos(2 * np.pi * at / DAY), np.cos(2 * np.pi * at / WEEK)
    cycle = day + week / 6
    bursts = _bursts(rng, streams, hours, 7, heavy=heavy)
    after = np.zeros(hours) if shift is None else (at >= shift.hour).astype(float)
    shift = shift or Shift(hours)
    storm, storm_label, storm_confidence = _storms(
        rng, streams, hours, troubles=troubles and retweets_counted
    )

    negative = SHARES[0] + 0.06 * cycle + bursts_sd * bursts[0] + shift.share * after
    positive = SHARES[2] - 0.03 * cycle + 0.75 * bursts_sd * bursts[1]
    shares = np.stack([negative, 1 - negative - positive, positive], axis=-1).clip(0.01)
    shares = shares / shares.sum(axis=-1, keepdims=True)
    shares = (1 - storm)[..., None] * shares + storm[..., None] * np.eye(3)[storm_label]

    expected = TWEETS * (1 + 0.5 * cycle) * np.exp(0.15 * bursts[2]) * shift.volume**after
    changes = np.full(streams, hours)
    seen = np.ones((streams, hours), dtype=bool)
    if troubles and hours > reference_h + 4 * WEEK:
        changes = rng.integers(hours // 2, hours - WEEK, streams)
        expected = expected * np.where(at >= changes[:, None], 1.5, 1.0)
        outage = rng.integers(reference_h + WEEK, hours - WEEK, streams)[:, None]
        seen = (at < outage) | (at >= outage + DAY)
    tweets = rng.poisson(np.maximum(20, expected) / (1 - storm)) * seen
    counts = rng.multinomial(tweets, shares / shares.sum(axis=-1, keepdims=True))
    own = np.maximum(1.0, tweets * (1 - storm))

    def mean(level: float, daily: float, burst: Floats, of_one: float, moved: float) -> Floats:
        noise: Floats = rng.standard_normal((streams, hours)) * of_one / np.sqrt(own)
        return level + daily * cycle + burst + noise + moved * after

    confidence = mean(0.75, 0.015, 0.006 * bursts[3], 0.17, shift.confidence)
    low = mean(0.50, 0.015, 0.008 * bursts[3] + 0.004 * bursts[4], 0.3, shift.confidence)
    blended = (1 - storm) * confidence + storm * storm_confidence
    signals = {
        "confidence": blended,
        "low_confidence": np.where(storm > 0.2, np.minimum(low, storm_confidence), low),
        "text_length": mean(4.5, 0.02, 0.02 * bursts[4], 0.5, shift.length)
        + storm * (storm_confidence - 0.7),
        "pieces_per_word": mean(1.3, 0.005, 0.01 * bursts[5], 0.2, 0.0),
        "unknown_pieces": mean(0.004, 0.0, 0.0005 * bursts[6], 0.005, 0.0).clip(0),
        "volume": np.log1p(tweets),
    }
    return Years(counts, tweets.astype(np.float64), seen, signals, changes)


def _bursts(
    rng: np.random.Generator, streams: int, hours: int, many: int, *, heavy: bool
) -> Floats:
    """Return AR(1) processes of variance 1: many × streams × hours."""
    shape = (hours, many, streams)
    shocks = rng.standard_t(4, shape) / np.sqrt(2) if heavy else rng.standard_normal(shape)
    shocks *= np.sqrt(1 - BURST**2)
    for hour in range(1, hours):
        shocks[hour] += BURST * shocks[hour - 1]
    return np.moveaxis(shocks, 0, -1)


def _storms(
    rng: np.random.Generator, streams: int, hours: int, *, troubles: bool
) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Return the share of one retweeted text in each hour, its label and its confidence."""
    part = np.zeros((streams, hours))
    label = np.zeros((streams, hours), dtype=np.int64)
    confidence = np.zeros((streams, hours))
    if not troubles:
        return part, label, confidence
    for stream in range(streams):
        for _ in range(rng.poisson(STORMS_A_YEAR * hours / YEAR)):
            start, lasts_h = int(rng.integers(hours)), int(rng.integers(2, 9))
            span = slice(start, min(hours, start + lasts_h))
            peak = rng.uniform(0.2, 0.5)
            part[stream, span] = peak * np.linspace(1, 0.2, lasts_h)[: span.stop - start]
            label[stream, span] = rng.integers(3)
            confidence[stream, span] = rng.uniform(0.5, 0.95)
    return part, label, confidence
