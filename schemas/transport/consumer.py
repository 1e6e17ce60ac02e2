"""Consuming with the commit last."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from schemas.settings import Settings
from schemas.transport.kafka_config import kafka_config

logger = logging.getLogger(__name__)

Partition = tuple[str, int]
"""Topic and partition."""

StartOffsets = Callable[[list[Partition]], Mapping[Partition, int]]
"""Asked at each assignment for the offsets that the consumer's own store knows better."""


class CommittingConsumer:
    """Reads batches and commits only what the caller says is done.

    After `commit` returns, a crash repeats nothing that was committed and skips nothing that was
    not. `start_offsets` may name, for newly assigned partitions, where to begin instead of at the
    group's committed offset: a store that keeps positions in the transaction of its rows knows
    them better than Kafka does. `on_trouble` is called by `poll_batch` when a broker was lost.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        group: str,
        topics: list[str],
        client_id: str,
        start_offsets: StartOffsets | None = None,
        on_trouble: Callable[[], None] = lambda: None,
    ) -> None:
        self._start_offsets = start_offsets
        self._consumer = Consumer(
            {
                **kafka_config(settings, client_id),
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 10_000,
                "heartbeat.interval.ms": 3_000,
                "max.poll.interval.ms": 300_000,
                # A sink needs little ahead of it; the default of 64 MiB a partition is too much.
                "queued.max.messages.kbytes": 8_192,
                "fetch.wait.max.ms": 100,
                "error_cb": lambda _error: on_trouble(),
            }
        )
        self._consumer.subscribe(topics, on_assign=self._on_assign, on_revoke=self._on_revoke)
        self._assigned: set[Partition] = set()

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions that this consumer now reads."""
        return frozenset(self._assigned)

    def poll_batch(self, max_messages: int, timeout_s: float) -> list[Message]:
        """Return up to `max_messages`, waiting at most `timeout_s`; passing faults are logged."""
        messages = []
        for message in self._consumer.consume(max_messages, timeout_s):
            error = message.error()
            if error is None:
                messages.append(message)
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

    def lag(self, next_offsets: Mapping[Partition, int]) -> int:
        """Return how many messages the assigned partitions hold beyond `next_offsets`.

        Uses the high watermarks of the last fetch, so it asks no broker.
        """
        total = 0
        for topic, partition in self._assigned:
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), cached=True
            )
            if high >= 0:
                total += max(0, high - max(low, 0, next_offsets.get((topic, partition), 0)))
        return total

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
