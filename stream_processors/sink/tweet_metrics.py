"""What the sink stored, by rule and label, for Prometheus: bounded, whatever rules there are."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry

from schemas.events import LIVE, TweetScored
from schemas.process.metric_list import SINK_CONFIDENCE, SINK_TEXT_LENGTH, SINK_TWEETS

MOST_NAMES: Final = 50
OTHER: Final = "other"
"""The rules, or labels, beyond the bound, together."""


class BoundedNames:
    """The first names that come have a series of their own; all others share `OTHER`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, name: str) -> str:
        """Return what a name is called in a label."""
        if name not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(name)
        return name


class TweetMetrics:
    """Counts tweets when they are stored for the first time: a repeat or an edit counts nowhere.

    A tweet counts once for all tweets (the rule "") and once for each of its rules, as in the
    rollups; where several of its rules are beyond the bound, once for `OTHER`.
    """

    def __init__(self, registry: CollectorRegistry, *, most_names: int = MOST_NAMES) -> None:
        self._tweets = SINK_TWEETS.register(registry)
        self._confidence = SINK_CONFIDENCE.register(registry)
        self._length = SINK_TEXT_LENGTH.register(registry)
        self._rules = BoundedNames(most_names)
        self._labels = BoundedNames(most_names)

    def count(self, tweets: Iterable[TweetScored]) -> None:
        """Count tweets that PostgreSQL now has and did not have before."""
        for event in tweets:
            kind = "live" if event.run == LIVE else "replay"
            label = self._labels.of(event.score.label)
            for rule in {"", *(self._rules.of(rule.tag) for rule in event.rules)}:
                self._tweets.labels(kind, rule, label).inc()
            self._confidence.labels(kind).observe(event.score.confidence)
            self._length.labels(kind).observe(len(event.text))
