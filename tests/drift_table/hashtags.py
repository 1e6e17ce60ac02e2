"""Hashtags of simulated years: each tweet has one with a share of its own, hour by hour."""

import numpy as np

from retrain.drift.detectors.e_detector import Floats
from retrain.drift.detectors.new_hashtag import HASHTAGS_OF_A_TWEET, advance
from retrain.drift.judge import ordinary_share
from schemas.setting_views import AlarmLimits


def first_alarm(
    rng: np.random.Generator,
    hashtags: int,
    hours: int,
    *,
    share: float,
    tweets: int,
    run_length: float,
    limits: AlarmLimits,
) -> Floats:
    """Return the hour of the first alarm of each hashtag, infinite where there is none."""
    ordinary, most = ordinary_share(limits), limits.raise_windows
    threshold = run_length * HASHTAGS_OF_A_TWEET / ordinary
    log1p_r, first = np.zeros(hashtags), np.full(hashtags, np.inf)
    recent = np.zeros((hashtags, most))
    per_hour = np.full(hashtags, float(tweets))
    for hour in range(hours):
        having = rng.binomial(tweets, share, hashtags).astype(np.float64)
        log1p_r = advance(log1p_r, having, per_hour, ordinary=ordinary, new=limits.new_hashtag)
        recent = np.concatenate([recent[:, 1:], (having / tweets)[:, np.newaxis]], axis=1)
        lasts = recent.min(axis=1) >= limits.new_hashtag / 2
        raises = (np.expm1(log1p_r) >= threshold) & lasts
        raises &= recent.mean(axis=1) >= limits.new_hashtag
        first = np.where(raises & (hour + 1 >= most) & np.isinf(first), hour + 1.0, first)
    return first
