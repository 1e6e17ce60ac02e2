"""Rows of the rollups to figures. Pure; every sum is of integers, so exact."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from stream_processors.aggregates.aggregates import Grouped, LabelFigures, ModelFigures, SeriesPoint


class RollupRow(NamedTuple):
    """Sums over a window; `rule` empty: all tweets, whatever they matched."""

    rule: str
    label: str
    model_name: str
    model_version: str
    model_sha256: str
    tweets: int
    confidence_micros: int


class NamedCount(NamedTuple):
    """Tweets of a hashtag with a label."""

    name: str
    label: str
    tweets: int


class StepCount(NamedTuple):
    """Tweets of a step of the series with a label."""

    start: datetime
    label: str
    tweets: int


class DayCount(NamedTuple):
    """Tweets of a rule on a day in UTC; `rule` empty: all tweets."""

    rule: str
    day: date
    tweets: int


def mean_confidence(tweets: int, confidence_micros: int) -> float:
    """Return the mean of confidences given as a sum of millionths, to six places."""
    return round(confidence_micros / 1_000_000 / tweets, 6)


def labels_of(rows: Iterable[RollupRow]) -> list[LabelFigures]:
    """Return the figures of each label, the most frequent first."""
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row.rule == "":
            tweets, micros = sums.get(row.label, (0, 0))
            sums[row.label] = (tweets + row.tweets, micros + row.confidence_micros)
    figures = [
        LabelFigures(label=label, tweets=tweets, mean_confidence=mean_confidence(tweets, micros))
        for label, (tweets, micros) in sums.items()
        if tweets > 0
    ]
    return sorted(figures, key=lambda found: (-found.tweets, found.label))


def total_of(rows: Iterable[RollupRow]) -> tuple[int, float | None]:
    """Return the number of all tweets and their mean confidence (None without tweets)."""
    everything = [row for row in rows if row.rule == ""]
    tweets = sum(row.tweets for row in everything)
    micros = sum(row.confidence_micros for row in everything)
    return tweets, mean_confidence(tweets, micros) if tweets else None


def models_of(rows: Iterable[RollupRow]) -> list[ModelFigures]:
    """Return how many tweets each model's score counts for, the most first."""
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        if row.rule == "":
            sums[row.model_name, row.model_version, row.model_sha256] += row.tweets
    figures = [
        ModelFigures(name=name, version=version, sha256=sha256, tweets=tweets)
        for (name, version, sha256), tweets in sums.items()
        if tweets > 0
    ]
    return sorted(figures, key=lambda found: (-found.tweets, found.sha256))


def by_label(rows: Iterable[RollupRow]) -> dict[str, int]:
    """Return all tweets by label."""
    return {figures.label: figures.tweets for figures in labels_of(rows)}


def rules_of(rows: Iterable[RollupRow]) -> list[Grouped]:
    """Return the tweets of each rule, the most frequent first."""
    return grouped(NamedCount(row.rule, row.label, row.tweets) for row in rows if row.rule != "")


def grouped(counts: Iterable[NamedCount]) -> list[Grouped]:
    """Return counts by name, each by label, the most frequent first."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for count in counts:
        if count.tweets > 0:
            sums[count.name][count.label] += count.tweets
    groups = [
        Grouped(name=name, tweets=sum(by_label.values()), by_label=dict(sorted(by_label.items())))
        for name, by_label in sums.items()
    ]
    return sorted(groups, key=lambda group: (-group.tweets, group.name))


def series_of(starts: Iterable[datetime], counts: Iterable[StepCount]) -> list[SeriesPoint]:
    """Return one point for each start, also where nothing was posted."""
    points: dict[datetime, dict[str, int]] = {start: {} for start in starts}
    for count in counts:
        if count.tweets > 0:
            points[count.start][count.label] = count.tweets
    return [
        SeriesPoint(start=start, by_label=dict(sorted(by_label.items())))
        for start, by_label in points.items()
    ]
