"""The topics: their names, keys, life and how they are laid out."""

from dataclasses import dataclass, replace
from typing import Literal

from schemas.setting_views import Names, TopicLayout

RAW = "tweets.raw"
SCORED = "tweets.scored"
DEAD_LETTER = "tweets.dead-letter"
MODELS_PROMOTED = "models.promoted"
SCORE_HOLD = "score.hold"
ALARMS = "alarms"
DECISIONS = "decisions"
SHADOW = "tweets.shadow"

SCORE_GROUP = "murmur-score"
SINK_GROUP = "murmur-sink"
WATCH_GROUP = "murmur-watch"
SHADOW_GROUP = "murmur-shadow"

MAX_EVENT_BYTES = 512 * 1024
"""Largest event that is published. Below Kafka's default limit of 1 MiB with room to grow: a
scored tweet is larger than the raw one by its labels and extracted parts."""

_HOUR_MS = 3_600_000
_FOREVER_MS = -1
_SMALL_SEGMENT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class TopicSpec:
    """One topic as `murmur init` makes and checks it."""

    name: str
    partitions: int
    replication: int
    cleanup: Literal["delete", "compact"]
    retention_ms: int
    segment_bytes: int | None = None

    def config(self) -> dict[str, str]:
        """Kafka's topic settings; every other setting is the broker's default."""
        config = {"cleanup.policy": self.cleanup, "retention.ms": str(self.retention_ms)}
        if self.segment_bytes is not None:
            config["segment.bytes"] = str(self.segment_bytes)
        return config


def topic_specs(names: Names, layout: TopicLayout) -> list[TopicSpec]:
    """Return every topic that Murmur uses."""

    def spec(
        name: str, partitions: int, cleanup: Literal["delete", "compact"], retention_ms: int
    ) -> TopicSpec:
        return TopicSpec(
            names.topic(name),
            partitions,
            layout.replication,
            cleanup,
            retention_ms,
        )

    return [
        spec(RAW, layout.partitions, "delete", layout.raw_retention_hours * _HOUR_MS),
        spec(SCORED, layout.partitions, "delete", layout.scored_retention_hours * _HOUR_MS),
        spec(SHADOW, layout.partitions, "delete", layout.scored_retention_hours * _HOUR_MS),
        # A dead letter is evidence: it waits until somebody has looked at it.
        spec(DEAD_LETTER, 1, "delete", _FOREVER_MS),
        # Few, and in one order. PostgreSQL keeps them all.
        spec(ALARMS, 1, "delete", layout.scored_retention_hours * _HOUR_MS),
        spec(MODELS_PROMOTED, 1, "compact", _FOREVER_MS),
        # Read whole at each start of a scoring process, and only closed segments are compacted.
        replace(spec(SCORE_HOLD, 1, "compact", _FOREVER_MS), segment_bytes=_SMALL_SEGMENT_BYTES),
        replace(spec(DECISIONS, 1, "compact", _FOREVER_MS), segment_bytes=_SMALL_SEGMENT_BYTES),
    ]
