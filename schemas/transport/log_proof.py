"""Whether a log is still the one that a position was taken in.

An offset alone proves nothing: a log that lost its end (a restored folder or snapshot, an unclean
leader) grows again and gives the same offsets to other messages. Neither do Kafka's leader epochs,
which go back with the folder, and count up again to the same numbers. So a position is known by
the last message before it: its timestamp and a hash. Where that message has expired, everything
that the log still has is behind the position, and there is nothing to be proved.
"""

import hashlib
import time
from collections.abc import Mapping
from enum import Enum
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from msgspec import Struct

from schemas.setting_views import KafkaConnection
from schemas.transport.group_lag import KafkaUnavailable
from schemas.transport.kafka_config import kafka_config
from schemas.transport.messages import ConsumedMessage, Partition, from_confluent

_POLL_S: Final = 0.1


class LastMessage(Struct, frozen=True, array_like=True):
    """A message as it is recognised: `sha256` is of its key and value."""

    offset: int
    timestamp_ms: int
    sha256: str


class Extent(Struct, frozen=True):
    """What a partition holds: offsets from `low` up to but not at `high`."""

    low: int
    high: int


class Finding(Enum):
    """What is found out about a position."""

    SAME_LOG = "the last message before it is there"
    EXPIRED = "the log has nothing left of what lies before it"
    ANOTHER_LOG = "the log has another message there, or none"


def last_message(message: ConsumedMessage) -> LastMessage:
    """Return how a message is recognised."""
    return LastMessage(message.offset, message.timestamp_ms, _hash(message.key, message.value))


def judge(last: LastMessage, extent: Extent, there: LastMessage | None) -> Finding:
    """Decide from what a partition holds, and from the message that now has the offset."""
    if last.offset >= extent.high:
        return Finding.ANOTHER_LOG
    if last.offset < extent.low:
        return Finding.EXPIRED
    return Finding.SAME_LOG if there == last else Finding.ANOTHER_LOG


class LogReader:
    """Looks at single messages, in no consumer group.

    Each method raises `KafkaUnavailable` where the brokers do not answer within `timeout_s`.
    """

    def __init__(self, kafka: KafkaConnection, *, timeout_s: float = 30.0) -> None:
        self._timeout_s = timeout_s
        self._consumer = Consumer(
            {
                **kafka_config(kafka, "murmur-proof"),
                "group.id": "murmur-proof-reads-without-a-group",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "queued.max.messages.kbytes": 1_024,
                "fetch.wait.max.ms": 100,
                "log_level": 0,
            }
        )

    def findings(self, positions: Mapping[Partition, LastMessage]) -> dict[Partition, Finding]:
        """Judge a position in each of several partitions."""
        extents = {partition: self.extent(partition) for partition in positions}
        there = self._messages(
            {
                partition: last.offset
                for partition, last in positions.items()
                if extents[partition].low <= last.offset < extents[partition].high
            }
        )
        return {
            partition: judge(last, extents[partition], there.get(partition))
            for partition, last in positions.items()
        }

    def ends(self, topics: Mapping[str, int]) -> dict[Partition, LastMessage]:
        """Return the last message of each partition of topics, given with how many they have.

        Partitions without a message are left out, and those whose last offset is none's (Kafka
        marks the ends of transactions so).
        """
        partitions = [(topic, number) for topic, count in topics.items() for number in range(count)]
        extents = {partition: self.extent(partition) for partition in partitions}
        return self._messages(
            {name: held.high - 1 for name, held in extents.items() if held.high > held.low}
        )

    def extent(self, partition: Partition) -> Extent:
        """Return what a partition holds."""
        try:
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(*partition), timeout=self._timeout_s
            )
        except KafkaException as error:
            raise KafkaUnavailable(f"Kafka did not answer: {error.args[0].str()}") from error
        return Extent(low, high)

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()

    def _messages(self, offsets: Mapping[Partition, int]) -> dict[Partition, LastMessage]:
        """Return the messages that have these offsets; an offset may be no message's."""
        waiting = set(offsets)
        found: dict[Partition, LastMessage] = {}
        deadline_s = time.monotonic() + self._timeout_s
        self._consumer.assign([TopicPartition(*name, offset) for name, offset in offsets.items()])
        try:
            while waiting:
                if time.monotonic() > deadline_s:
                    raise KafkaUnavailable("Kafka did not answer: messages are not read")
                for message in self._consumer.consume(len(waiting), _POLL_S):
                    partition = _partition_of(message)
                    if partition is None or partition not in waiting or not _is_last_word(message):
                        continue
                    waiting.remove(partition)
                    if message.error() is None and message.offset() == offsets[partition]:
                        found[partition] = last_message(from_confluent(message))
        finally:
            self._consumer.unassign()
        return found


def _partition_of(message: Message) -> Partition | None:
    topic, number = message.topic(), message.partition()
    return None if topic is None or number is None else (topic, number)


def _is_last_word(message: Message) -> bool:
    """Tell whether nothing else can come of a partition: a message, its end, or no such offset."""
    error = message.error()
    return error is None or error.code() in (
        KafkaError._PARTITION_EOF,  # noqa: SLF001  its public name
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001  its public name
        KafkaError.OFFSET_OUT_OF_RANGE,
    )


def _hash(key: bytes | None, value: bytes | None) -> str:
    hashed = hashlib.sha256()
    for part in (key, value):
        hashed.update(b"\0" if part is None else b"\1%d:" % len(part) + part)
    return hashed.hexdigest()
