"""A compacted topic of one partition, read whole at the start and followed afterwards.

It is how a process learns of a state that others set: whoever starts reads it to its end before it
acts on it, and takes in each change while it runs.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from schemas.failures import Failure
from schemas.process.progress import Progress
from schemas.setting_views import KafkaConnection
from schemas.transport.group_lag import KafkaUnavailable
from schemas.transport.kafka_config import kafka_config

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 30.0
"""A consumer hears nothing of a topic that was deleted: it is looked for."""

Take = Callable[[bytes | None, bytes | None], None]
"""Takes in a message's key and value; an empty value ends what the key named."""


class CompactedTopic:
    """Reads a topic of one partition, in no consumer group; for one thread.

    `take` gets every message in order. What was taken in stays where the topic is deleted or Kafka
    is away. A log that went back is read anew from its beginning. Both are logged.
    """

    def __init__(self, kafka: KafkaConnection, topic: str, *, client_id: str, take: Take) -> None:
        self._topic = topic
        self._take = take
        self._at_end = False
        self._said: str | None = None
        self._consumer = Consumer(
            {
                **kafka_config(kafka, client_id),
                "group.id": f"{topic}-is-read-without-a-group",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                # A log that went back is noticed, and read anew: at its end a change would be
                # missed.
                "auto.offset.reset": "error",
                "log_level": 0,
                # By default a topic that was made again is found after five minutes.
                "topic.metadata.refresh.interval.ms": 10_000,
                "fetch.wait.max.ms": 100,
            }
        )

    def load(self, timeout_s: float = 30.0) -> None:
        """Take in everything there is.

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

    def _load(self, deadline_s: float) -> None:
        wait_s = max(0.1, deadline_s - time.monotonic())
        # All topics are listed: asking for one by name could create it.
        if self._topic not in self._consumer.list_topics(timeout=wait_s).topics:
            raise Failure(f"the topic {self._topic} is missing: `murmur init` makes it")
        self._read_from_beginning()
        self._at_end = False
        while not self._at_end:
            if time.monotonic() > deadline_s:
                raise KafkaUnavailable(f"Kafka did not answer: {self._topic} is not read")
            self.follow(0.2)

    def follow(self, wait_s: float) -> None:
        """Take in what was written meanwhile; passing faults are logged, each once."""
        for message in self._consumer.consume(500, wait_s):
            error = message.error()
            if error is None:
                self._said = None
                self._take(message.key(), message.value())
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                self._said = None
                self._at_end = True
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
                logger.error("%s went back: it is read anew, and what it lost stays", self._topic)
                self._read_from_beginning()
                return
            elif error.str() != self._said:
                self._said = error.str()
                logger.warning("%s: %s; what was read of it stays", self._topic, self._said)

    def follow_until(self, finished: threading.Event) -> None:
        """Follow until told to stop; say where the topic is gone."""
        looked_s = time.monotonic()
        while not finished.is_set():
            self.follow(0.2)
            if time.monotonic() - looked_s > LOOK_EVERY_S:
                self._say_if_gone()
                looked_s = time.monotonic()

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()

    def _say_if_gone(self) -> None:
        try:
            gone = self._topic not in self._consumer.list_topics(timeout=5.0).topics
        except KafkaException:
            return
        sentence = f"{self._topic} is gone: what was read of it stays; `murmur init` makes it again"
        if gone and self._said != sentence:
            logger.error(sentence)
            self._said = sentence

    def _read_from_beginning(self) -> None:
        self._consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])


def load_at_start(
    load: Callable[[float], object], progress: Progress, stopped: Callable[[], bool]
) -> bool:
    """Read a topic before a process acts on it, waiting for Kafka; tell whether it was read.

    `load` takes a limit in seconds, as `CompactedTopic.load` does. It was not read where the
    process was told to stop first. Meanwhile the probes say that Kafka is away.
    """
    while not stopped():
        try:
            load(10.0)
        except KafkaUnavailable as error:
            progress.unavailable = "Kafka"
            logger.warning("%s", error)
        else:
            progress.advance()
            return not stopped()
    return False
