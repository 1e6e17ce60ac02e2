"""What a stream is like while nothing is wrong: the levels that windows are held against.

A reference is of one rule (`ALL_RULES`: of everything) and belongs to one model: another model's
answers are not comparable with it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from retrain.drift.window import Window
from schemas.failures import Failure

HOUR = timedelta(hours=1)


class Baseline(Struct, frozen=True, kw_only=True):
    """Levels of one signal: `levels` has one a slot of the season (168, 24 or 1).

    `scale` is the standard deviation of a window of `typical_tweets` tweets about its level, and
    `autocorrelation` that of neighbouring windows.
    """

    levels: tuple[float, ...]
    scale: float
    autocorrelation: float
    typical_tweets: float


class Reference(Struct, frozen=True, kw_only=True):
    """Baselines by signal (`label_share:negative`, `confidence`), of the span from start to end."""

    run: str
    rule: str
    model_sha256: str
    start: datetime
    end: datetime
    window_s: float
    windows: int
    tweets: int
    baselines: dict[str, Baseline]
    tolerated_error: float | None = None
    """The share of wrong answers up to which audits raise no alarm; None: audits raise none."""


def build_reference(windows: Iterable[Window], *, window: timedelta = HOUR) -> Reference:
    """Make a reference of windows of one run, rule and model; `window` is their length.

    The order of the windows does not matter, and empty ones may be left out. Without any tweet
    there is nothing to make one of: `Failure`.
    """
    held = sorted((one for one in windows if one.counts.tweets), key=lambda one: one.key.start)
    if not held:
        raise Failure("there are no scored tweets in this span: choose a longer one")
    key = held[0].key
    return Reference(
        run=key.run,
        rule=key.rule,
        model_sha256=key.model_sha256,
        start=key.start,
        end=held[-1].key.start + window,
        window_s=window.total_seconds(),
        windows=len(held),
        tweets=sum(one.counts.tweets for one in held),
        baselines={},
    )
