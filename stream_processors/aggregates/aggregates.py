"""The figures of a run over a window, as Redis and `murmur totals --json` hold them."""

from datetime import datetime

from msgspec import Struct


class LabelFigures(Struct, frozen=True, kw_only=True):
    """Tweets with a label; `mean_confidence` is the model's own, between 0 and 1."""

    label: str
    tweets: int
    mean_confidence: float


class Grouped(Struct, frozen=True, kw_only=True):
    """Tweets of one hashtag or one rule, by label."""

    name: str
    tweets: int
    by_label: dict[str, int]


class SeriesPoint(Struct, frozen=True, kw_only=True):
    """Tweets posted from `start` until the next point, by label; no tweets: an empty dict."""

    start: datetime
    by_label: dict[str, int]


class ModelFigures(Struct, frozen=True, kw_only=True):
    """Tweets whose score that counts came from a model."""

    name: str
    version: str
    sha256: str
    tweets: int


class LanguageFigures(Struct, frozen=True, kw_only=True):
    """Tweets of one language."""

    language: str
    tweets: int


class Aggregates(Struct, frozen=True, kw_only=True):
    """The figures of one run over one window, all read at one moment, `as_of`.

    Tweets count by when they were posted, from `start` up to but not at `end` (UTC, whole
    minutes; both None for a replay without tweets). The labels are those that the data has, the
    most frequent first. A tweet counts once in `tweets`, `labels`, `series` and `models`, and once
    for each of its hashtags and rules. `hashtags` are the 20 most frequent.

    `unknown_language_tweets` of `tweets` are in languages that the model which scored them does
    not know, so that their labels are guesses; `unknown_languages` are the 10 most frequent of
    those. Tweets whose language is undetermined are not among them.
    """

    run: str
    window: str
    start: datetime | None
    end: datetime | None
    as_of: datetime
    tweets: int
    mean_confidence: float | None
    labels: list[LabelFigures]
    hashtags: list[Grouped]
    rules: list[Grouped]
    models: list[ModelFigures]
    series_step_s: int
    series: list[SeriesPoint]
    unknown_language_tweets: int = 0
    unknown_languages: list[LanguageFigures] = []
