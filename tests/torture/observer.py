"""Watching from outside whether the stream moves: by committed offsets and lag, nothing else."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED, SINK_GROUP
from schemas.transport.kafka_config import kafka_config

GROUPS = {SCORE_GROUP: (RAW,), SINK_GROUP: (SCORED, DEAD_LETTER)}
_ANSWER_S = 2.0
_PAUSE_S = 0.4


@dataclass(frozen=True)
class Standing:
    """What a group has committed and what is before it, over all partitions, at a moment."""

    at_s: float
    committed: int
    lag: int


@dataclass
class Observer:
    """Samples both groups until stopped; a broker that does not answer leaves a gap."""

    settings: Settings
    clock: Callable[[], float]
    published: Callable[[], bool]
    latest: dict[str, Standing] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Sample until `stop` is set."""
        asked = {group: self._consumer(group) for group in GROUPS}
        while not stop.wait(_PAUSE_S):
            for group, consumer in asked.items():
                self._sample(group, consumer)
        for consumer in asked.values():
            consumer.close()

    def await_movement(self, since_s: float, give_up_s: float) -> float | None:
        """Return for how long, from `since_s`, the slower group was not seen to commit anything.

        That is an upper bound: it holds the time to the next messages and to two samples, some
        seconds together. A group without lag has nothing to commit once `published` says so.
        None: one did not move within `give_up_s`.
        """
        first: dict[str, int] = {}
        waits: dict[str, float] = {}
        while len(waits) < len(GROUPS):
            if self.clock() - since_s > give_up_s:
                return None
            for group in GROUPS.keys() - waits.keys():
                now = self.latest[group]
                if now.at_s <= since_s:
                    continue
                moved = now.committed > first.setdefault(group, now.committed)
                if moved or (self.published() and now.lag == 0):
                    waits[group] = now.at_s - since_s
            threading.Event().wait(0.1)
        return max(waits.values())

    def _sample(self, group: str, consumer: Consumer) -> None:
        at_s = self.clock()
        try:
            described = consumer.list_topics(timeout=_ANSWER_S).topics
            partitions = [
                TopicPartition(name, number)
                for name in (self.settings.names.topic(topic) for topic in GROUPS[group])
                for number in described[name].partitions
            ]
            committed = consumer.committed(partitions, timeout=_ANSWER_S)
            ends = [consumer.get_watermark_offsets(p, timeout=_ANSWER_S)[1] for p in partitions]
        except (KafkaException, KeyError):
            return
        done = [max(0, partition.offset) for partition in committed]
        lag = sum(end - offset for end, offset in zip(ends, done, strict=True))
        self.latest[group] = Standing(at_s, sum(done), lag)

    def _consumer(self, group: str) -> Consumer:
        config = kafka_config(self.settings.kafka_connection, "murmur-torture-observer")
        return Consumer({**config, "group.id": self.settings.names.group(group), "log_level": 0})
