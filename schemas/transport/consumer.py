"""Consuming with the commit last."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.setting_views import KafkaConnection
from schemas.transport.kafka_config import kafka_config
from schemas.transport.messages import ConsumedMessage, Partition, from_confluent

logger = logging.getLogger(__name__)

StartOffsets = Callable[[list[Partition]], Mapping[Partition, int]]
"""Asked at each assignment for the offsets that the consumer's own store knows better."""


class CommittingConsumer:
    """Reads batches and commits only what the caller says is done.

    After `commit` returns, a crash repeats nothing that was committed and skips nothing that was
    not. Nothing is read before `subscribe`.
    """

    def __init__(
        self, kafka: KafkaConnection, *, group: str, topics: list[str], client_id: str
    ) -> None:
        self._topics = topics
        self._start_offsets: StartOffsets | None = None
        self._on_trouble: Callable[[], None] = lambda: None
        self._consumer = Consumer(
            {
                **kafka_config(kafka, client_id),
                "group.id": group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 10_000,
                "heartbeat.interval.ms": 3_000,
                "max.poll.interval.ms": 300_000,
                # A sink needs little ahead of it; the default of 64 MiB a partition is too much.
                "queued.max.messages.kbytes": 8_192,
                "fetch.wait.max.ms": 100,
                "error_cb": lambda _error: self._on_trouble(),
            }
        )
        self._assigned: set[Partition] = set()

    def subscribe(
        self,
        start_offsets: StartOffsets | None = None,
        on_trouble: Callable[[], None] = lambda: None,
    ) -> None:
        """Join the group.

        `start_offsets` may name, for newly assigned partitions, where to begin instead of at the
        group's committed offset: a store that keeps positions in the transaction of its rows
        knows them better than Kafka does. `on_trouble` is told when a broker was lost. Both are
        called in the thread that polls.
        """
        self._start_offsets = start_offsets
        self._on_trouble = on_trouble
        self._consumer.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions that this consumer now reads."""
        return frozenset(self._assigned)

    def poll_batch(self, max_messages: int, timeout_s: float) -> list[ConsumedMessage]:
        """Return up to `max_messages`, waiting at most `timeout_s`; passing faults are logged."""
        messages = []
        for message in self._consumer.consume(max_messages, timeout_s):
            error = message.error()
            if error is None:
                messages.append(from_confluent(message))
            elif error.fatal():
                raise KafkaException(error)
            else:
                logger.warning("consumer: %s", error.str())
        return messages

    def commit(self, next_offsets: Mapping[Partition, int]) -> None:
        """Commit the offsets to be read next; raise `KafkaException` if the group refuses."""
        self._consumer.commit(
            offsets=[TopicPartition(t, p, offset) for (t, p), offset in next_offsets.items()],
            asynchronous=False,
        )

    def close(self) -> None:
        """Leave the group, so that others take the partitions over at once."""
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        names = [(p.topic, p.partition) for p in partitions]
        better = self._start_offsets(names) if self._start_offsets else {}
        for partition in partitions:
            if (partition.topic, partition.partition) in better:
                partition.offset = better[partition.topic, partition.partition]
        consumer.assign(partitions)
        self._assigned = set(names)
        logger.info("partitions assigned", extra={"partitions": len(names)})

    def _on_revoke(self, _consumer: Consumer, partitions: Iterable[Any]) -> None:
        self._assigned.difference_update((p.topic, p.partition) for p in partitions)
