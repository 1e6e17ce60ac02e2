"""What a row adds to the rollups, in integers, so that what it adds can be taken back exactly."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, Protocol

ALL_RULES: Final = ""
GRANULARITIES: Final = ("minute", "hour", "day")


class RollupKey(NamedTuple):
    """A row of `rollups`; its order is the order in which sinks lock them."""

    run: str
    granularity: str
    bucket_start: datetime
    rule: str
    label: str
    model_id: int


class HashtagKey(NamedTuple):
    """A row of `hashtag_rollups`; its order is the order in which sinks lock them."""

    run: str
    granularity: str
    bucket_start: datetime
    hashtag: str
    label: str


class LanguageKey(NamedTuple):
    """A row of `unknown_language_rollups`; its order is the order in which sinks lock them."""

    run: str
    granularity: str
    bucket_start: datetime
    language: str


class Counted(Protocol):
    """What the rollups count of a tweet with the score that counts."""

    @property
    def run(self) -> str: ...
    @property
    def posted_at(self) -> datetime: ...
    @property
    def rules(self) -> tuple[str, ...]: ...
    @property
    def hashtags(self) -> tuple[str, ...]: ...
    @property
    def label(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def model_id(self) -> int: ...
    @property
    def unknown_language(self) -> str | None: ...


@dataclass
class Deltas:
    """By how much each rollup moves; a pair is tweets and millionths of confidence."""

    rollups: dict[RollupKey, tuple[int, int]] = field(default_factory=dict)
    hashtags: dict[HashtagKey, int] = field(default_factory=dict)
    languages: dict[LanguageKey, int] = field(default_factory=dict)


def deltas(removed: Iterable[Counted], added: Iterable[Counted]) -> Deltas:
    """Return by how much the rollups move when some rows leave and others come."""
    tweets: dict[RollupKey, int] = defaultdict(int)
    micros: dict[RollupKey, int] = defaultdict(int)
    hashtags: dict[HashtagKey, int] = defaultdict(int)
    languages: dict[LanguageKey, int] = defaultdict(int)
    for sign, rows in ((-1, removed), (1, added)):
        for row in rows:
            confidence_micros = sign * round(row.confidence * 1_000_000)
            for granularity, start in buckets(row.posted_at):
                for rule in (ALL_RULES, *row.rules):
                    key = RollupKey(row.run, granularity, start, rule, row.label, row.model_id)
                    tweets[key] += sign
                    micros[key] += confidence_micros
                for hashtag in row.hashtags:
                    hashtags[HashtagKey(row.run, granularity, start, hashtag, row.label)] += sign
                if row.unknown_language is not None:
                    key_of_language = LanguageKey(row.run, granularity, start, row.unknown_language)
                    languages[key_of_language] += sign
    return Deltas(
        {key: (tweets[key], micros[key]) for key in tweets if tweets[key] or micros[key]},
        {key: count for key, count in hashtags.items() if count},
        {key: count for key, count in languages.items() if count},
    )


def buckets(moment: datetime) -> tuple[tuple[str, datetime], ...]:
    """Return the start of the minute, hour and day that hold a moment."""
    minute = moment.replace(second=0, microsecond=0)
    hour = minute.replace(minute=0)
    return ("minute", minute), ("hour", hour), ("day", hour.replace(hour=0))
