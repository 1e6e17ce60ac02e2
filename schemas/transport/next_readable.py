"""Where the next message stands that a consumer is given: not every offset is one's.

Kafka marks the end of each transaction with an offset of its own, and the messages of an aborted
transaction keep theirs. Nobody is given any of them, and a group's committed offset may stay before
them for ever.
"""

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from msgspec import Struct

from schemas.setting_views import KafkaConnection
from schemas.transport.kafka_config import kafka_config
from schemas.transport.messages import Partition

_POLL_S: Final = 0.1


class Found(Struct, frozen=True):
    """From `begin` up to but not at `end` there is no message; `holds`: at `end` there is one."""

    begin: int
    end: int
    holds: bool


def passed_over(position: int, found: Found | None) -> int:
    """Return where a reader at `position` stands, what it is not given left behind."""
    if found is None or not found.begin <= position <= found.end:
        return position
    return found.end


class NextReadable:
    """Looks for the next message of partitions in which a reader stands still.

    It reads, in no group, one message of each at most. One that moves is not looked at: what it is
    given shows where it stands. One instance belongs to one thread at a time.
    """

    def __init__(self, kafka: KafkaConnection) -> None:
        self._kafka = kafka
        self._consumer: Consumer | None = None
        self._last: dict[Partition, int] = {}
        self._found: dict[Partition, Found] = {}

    def positions(
        self, positions: Mapping[Partition, int], ends: Mapping[Partition, int], timeout_s: float
    ) -> dict[Partition, int]:
        """Return the positions moved over what no reader is given; raise `KafkaException`.

        `positions` are within what the logs hold, which reaches up to `ends`.
        """
        moved = {at: passed_over(offset, self._found.get(at)) for at, offset in positions.items()}
        asked = {
            at: offset
            for at, offset in moved.items()
            if offset < ends[at]
            and self._last.get(at, positions[at]) == positions[at]
            and self._found.get(at) != Found(positions[at], offset, True)
        }
        self._last = dict(positions)
        if not asked:
            return moved
        for at, (offset, holds) in self._look(asked, timeout_s).items():
            self._found[at] = Found(positions[at], offset, holds)
            moved[at] = offset
        return moved

    def close(self) -> None:
        """Close the connections."""
        if self._consumer is not None:
            self._consumer.close()

    def _look(
        self, offsets: Mapping[Partition, int], timeout_s: float
    ) -> dict[Partition, tuple[int, bool]]:
        """Return, for each, the offset of the next message, or the end where there is none."""
        if self._consumer is None:
            self._consumer = _reader(self._kafka)
        waiting = set(offsets)
        found: dict[Partition, tuple[int, bool]] = {}
        deadline_s = time.monotonic() + timeout_s
        try:
            self._consumer.assign([TopicPartition(*at, offset) for at, offset in offsets.items()])
            while waiting:
                if time.monotonic() > deadline_s:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  its public name
                for message in self._consumer.consume(len(waiting), _POLL_S):
                    error = message.error()
                    topic, number, offset = message.topic(), message.partition(), message.offset()
                    if topic is None or number is None or offset is None:
                        continue
                    if (topic, number) in waiting and (error is None or _is_end(error)):
                        waiting.remove((topic, number))
                        found[topic, number] = (offset, error is None)
        finally:
            self._consumer.unassign()
        return found


def _is_end(error: KafkaError) -> bool:
    return bool(error.code() == KafkaError._PARTITION_EOF)  # noqa: SLF001  its public name


def _reader(kafka: KafkaConnection) -> Consumer:
    return Consumer(
        {
            **kafka_config(kafka, "murmur-lag-look"),
            "group.id": "murmur-lag-looks-without-a-group",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            # A broker sends at least one message, however large it is.
            "fetch.message.max.bytes": 16_384,
            "queued.max.messages.kbytes": 1_024,
            "fetch.wait.max.ms": 100,
            "log_level": 0,
        }
    )
