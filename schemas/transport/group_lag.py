"""How far a consumer group is behind, as the brokers know it."""

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.failures import Failure
from schemas.setting_views import KafkaConnection
from schemas.transport.kafka_config import kafka_config
from schemas.transport.messages import Partition
from schemas.transport.next_readable import NextReadable


class KafkaUnavailable(Failure):
    """No broker answered in time."""


class Standings(NamedTuple):
    """Where a group stands in each partition; one that it never committed in has no offset.

    `high` is where a reader of committed messages comes to the end: an open transaction, and all
    that stands behind it, is not there yet. `missing` are the topics that Kafka does not have.
    """

    committed: Mapping[Partition, int]
    low: Mapping[Partition, int]
    high: Mapping[Partition, int]
    missing: frozenset[str] = frozenset()


def next_offsets(
    committed: Mapping[Partition, int], low: Mapping[Partition, int], high: Mapping[Partition, int]
) -> dict[Partition, int]:
    """Return where a group reads on in each partition of `high`.

    A partition without a committed offset is read from its beginning, and so is one whose offset
    is beyond its end: that was another log's. What expired is passed over.
    """
    return {
        partition: max(committed.get(partition, 0), low.get(partition, 0))
        if committed.get(partition, 0) <= end
        else low.get(partition, 0)
        for partition, end in high.items()
    }


def lag_of(offsets: Mapping[Partition, int], high: Mapping[Partition, int]) -> dict[Partition, int]:
    """Return how much is behind these offsets in each partition of `high`."""
    return {partition: max(0, end - offsets[partition]) for partition, end in high.items()}


class GroupLag:
    """Asks the brokers for the lag of one consumer group, without joining it.

    May be used from several threads. It asks as a consumer: librdkafka's admin client aborts the
    process where it is asked for a group's offsets while no broker is up.
    """

    def __init__(self, kafka: KafkaConnection, *, group: str, topics: Iterable[str]) -> None:
        self._topics = sorted(set(topics))
        self._consumer = Consumer(
            {
                **kafka_config(kafka, "murmur-lag"),
                "group.id": group,
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        self._readable = NextReadable(kafka)
        self._looking = threading.Lock()

    def read(self, timeout_s: float = 10.0) -> dict[Partition, int]:
        """Return the lag of every partition of the topics; raise `KafkaUnavailable`.

        A topic that does not exist has no partitions. `timeout_s` is for each question.
        """
        return self.behind(self.standings(timeout_s), timeout_s=timeout_s)

    def behind(
        self,
        standings: Standings,
        done: Mapping[Partition, int] | None = None,
        timeout_s: float = 10.0,
    ) -> dict[Partition, int]:
        """Return the messages of each partition that are not processed; raise `KafkaUnavailable`.

        `done` has the offsets that are known better than the group's. Where nothing is left to be
        read it is 0, whatever transactions left behind; before that the marks of transactions are
        counted as messages.
        """
        low, high = standings.low, standings.high
        offsets = next_offsets({**standings.committed, **(done or {})}, low, high)
        try:
            with self._looking:
                offsets = self._readable.positions(offsets, high, timeout_s)
        except KafkaException as error:
            raise KafkaUnavailable(f"Kafka did not answer: {error.args[0].str()}") from error
        return lag_of(offsets, high)

    def standings(self, timeout_s: float = 10.0) -> Standings:
        """Return where the group stands in every partition; raise `KafkaUnavailable`."""
        try:
            described = self._consumer.list_topics(timeout=timeout_s).topics
            partitions = [
                TopicPartition(topic, number)
                for topic in self._topics
                if topic in described
                for number in sorted(described[topic].partitions)
            ]
            missing = frozenset(topic for topic in self._topics if topic not in described)
            if not partitions:
                return Standings({}, {}, {}, missing)
            committed = self._consumer.committed(partitions, timeout=timeout_s)
            low: dict[Partition, int] = {}
            high: dict[Partition, int] = {}
            for partition in partitions:
                name = (partition.topic, partition.partition)
                low[name], high[name] = self._consumer.get_watermark_offsets(
                    partition, timeout=timeout_s
                )
        except KafkaException as error:
            raise KafkaUnavailable(f"Kafka did not answer: {error.args[0].str()}") from error
        offsets = {(p.topic, p.partition): p.offset for p in committed if p.offset >= 0}
        return Standings(offsets, low, high, missing)

    def low_of(self, partition: Partition) -> int:
        """Return the first offset that a partition still has; 0 where no broker says it."""
        try:
            low: int = self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout=10)[
                0
            ]
        except KafkaException:
            return 0
        return low

    def total(self, timeout_s: float = 10.0) -> int:
        """Return the lag over all partitions; raise `KafkaUnavailable`."""
        return sum(self.read(timeout_s).values())

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()
        with self._looking:
            self._readable.close()
