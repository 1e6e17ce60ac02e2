"""Where every scoring process sees the hold: a compacted topic of one partition.

A process that starts reads it from its beginning, and follows it while it runs. It has the hold,
and what was counted of each partition; a release is the hold's deletion.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from msgspec import Struct

from schemas.failures import Failure
from schemas.setting_views import Cluster
from schemas.topics import SCORE_HOLD
from schemas.transport.group_lag import KafkaUnavailable
from schemas.transport.kafka_config import kafka_config
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.dead_letter_ratio import Chunk

logger = logging.getLogger(__name__)

_HOLD_KEY: Final = b"hold"
_TALLY_KEY: Final = b"tally-"


class Hold(Struct, frozen=True, kw_only=True):
    """Scoring is held: so many of the last messages became dead letters."""

    since: datetime
    letters: int
    messages: int

    def sentence(self) -> str:
        """Return why, for probes and people."""
        return (
            f"held since {self.since:%Y-%m-%d %H:%M:%S} UTC: {self.letters:,} of the last "
            f"{self.messages:,} messages became dead letters"
        )


class Tally(Struct, frozen=True, kw_only=True):
    """What one process counted of a partition; `writer` tells its own records from others'."""

    writer: str
    partition: int
    chunks: list[Chunk]


_hold_decoder = msgspec.json.Decoder(Hold)
_tally_decoder = msgspec.json.Decoder(Tally)


class BreakerTopic:
    """Reads and writes the topic. Reading belongs to one thread, writing to the publisher's.

    `counted` gets what other processes counted; `changed` the hold, or None at its end.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        changed: Callable[[Hold | None], None] = lambda _: None,
        counted: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        self.hold: Hold | None = None
        self._topic = cluster.names.topic(SCORE_HOLD)
        self._changed = changed
        self._counted = counted
        self._at_end = False
        self._writer = secrets.token_hex(8)
        self._consumer = Consumer(
            {
                **kafka_config(cluster.kafka, "murmur-hold"),
                "group.id": f"{self._topic}-is-read-without-a-group",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                # A log that went back is read anew: at its end a hold would be missed.
                "auto.offset.reset": "earliest",
                "log_level": 0,
                "fetch.wait.max.ms": 100,
            }
        )

    def load(self, timeout_s: float = 30.0) -> Hold | None:
        """Read everything there is and return the hold.

        Raises `KafkaUnavailable`, and `Failure` where the topic is missing.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                return self._load(deadline_s)
            except KafkaException as error:
                # Just made or just moved, a partition may have no leader for a moment.
                if time.monotonic() > deadline_s:
                    raise KafkaUnavailable(
                        f"Kafka did not answer: {error.args[0].str()}"
                    ) from error
                time.sleep(0.1)

    def _load(self, deadline_s: float) -> Hold | None:
        wait_s = max(0.1, deadline_s - time.monotonic())
        # All topics are listed: asking for one by name could create it.
        if self._topic not in self._consumer.list_topics(timeout=wait_s).topics:
            raise Failure(f"the topic {self._topic} is missing: `murmur init` makes it")
        partition = TopicPartition(self._topic, 0, OFFSET_BEGINNING)
        self._consumer.assign([partition])
        self._at_end = False
        while not self._at_end:
            if time.monotonic() > deadline_s:
                raise KafkaUnavailable(f"Kafka did not answer: {self._topic} is not read")
            self.follow(0.2)
        return self.hold

    def follow(self, wait_s: float) -> None:
        """Take in what was written meanwhile; passing faults are logged."""
        for message in self._consumer.consume(500, wait_s):
            error = message.error()
            if error is None:
                self._take(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                self._at_end = True
            else:
                logger.warning("hold: %s", error.str())

    def follow_until(self, finished: threading.Event) -> None:
        """Follow until told to stop."""
        while not finished.is_set():
            self.follow(0.2)

    def publish_hold(self, publisher: ConfirmingPublisher, hold: Hold) -> None:
        """Hold every process; `publisher.confirm` says when it is safe."""
        publisher.publish(self._topic, key=_HOLD_KEY, value=msgspec.json.encode(hold), headers=[])

    def publish_release(self, publisher: ConfirmingPublisher) -> None:
        """End the hold; `publisher.confirm` says when it is safe."""
        publisher.publish(self._topic, key=_HOLD_KEY, value=None, headers=[])

    def publish_tally(
        self, publisher: ConfirmingPublisher, partition: int, chunks: list[Chunk]
    ) -> None:
        """Tell others what was counted of a partition."""
        tally = Tally(writer=self._writer, partition=partition, chunks=chunks)
        publisher.publish(
            self._topic,
            key=_TALLY_KEY + b"%d" % partition,
            value=msgspec.json.encode(tally),
            headers=[],
        )

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        key, value = message.key(), message.value()
        try:
            if key == _HOLD_KEY:
                self.hold = None if value is None else _hold_decoder.decode(value)
                self._changed(self.hold)
            elif key is not None and key.startswith(_TALLY_KEY) and value is not None:
                tally = _tally_decoder.decode(value)
                if tally.writer != self._writer:
                    self._counted(tally)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.warning(
                "ignored a record in the hold's topic that Murmur did not write: %s",
                type(error).__name__,
            )
