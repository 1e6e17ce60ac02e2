"""Publishing a history over a length of time, whatever happens to the broker."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.settings import Settings
from schemas.topics import RAW
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until
from tests.torture.poison import REFUSED_BY_KAFKA_BYTES
from tests.torture.tweets import Published

Position = tuple[str, int, int]
"""Topic, partition, offset."""

_CONFIRMED_WITHIN_S = 300.0
_TOPIC_SEEN_WITHIN_S = 60.0
_BURST_S = 3.0
"""Messages come in bursts, so that windows and batches are full when something is killed."""


@dataclass
class Publishing:
    """Publishes each message exactly once (an idempotent producer that never gives up).

    `positions` tells where each confirmed message stands, by its number in the history.
    """

    settings: Settings
    messages: Sequence[Published]
    lasts_s: float
    clock: Callable[[], float]
    positions: dict[int, Position] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    _handed_over: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def done(self) -> bool:
        """Tell whether every message is confirmed."""
        return len(self.positions) == len(self.messages)

    def refuses_the_largest(self) -> bool:
        """Tell whether whoever publishes 2 MB sees the refusal."""
        try:
            self._producer().produce(
                self.settings.names.topic(RAW), value=b"x" * REFUSED_BY_KAFKA_BYTES
            )
        except KafkaException as error:
            return bool(error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE)
        return False

    def run(self, stop: threading.Event) -> None:
        """Publish in bursts over `lasts_s`; return once everything is confirmed."""
        producer = self._producer()
        began_s = self.clock()
        number = 0
        while number < len(self.messages) and not stop.is_set():
            bursts = (self.clock() - began_s) // _BURST_S + 1
            due = int(len(self.messages) * min(1.0, bursts * _BURST_S / self.lasts_s))
            with self._turn:
                while number < due:
                    self._publish(producer, number)
                    number += 1
                self._handed_over = number
            producer.poll(0.2)
        while len(producer) and not stop.is_set():
            producer.flush(1)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Publish nothing meanwhile; what was published before is confirmed."""
        with self._turn:
            wait_until(
                lambda: len(self.positions) + len(self.faults) == self._handed_over,
                _CONFIRMED_WITHIN_S,
                "what was published to be confirmed",
            )
            yield

    def _publish(self, producer: Producer, number: int) -> None:
        message = self.messages[number]

        def delivered(error: KafkaError | None, sent: Message) -> None:
            topic, partition, offset = sent.topic(), sent.partition(), sent.offset()
            if error is not None or topic is None or partition is None or offset is None:
                self.faults.append(f"message {number}: {error}")
            else:
                self.positions[number] = (topic, partition, offset)

        def handed_over() -> bool:
            try:
                producer.produce(
                    self.settings.names.topic(message.topic),
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers),
                    on_delivery=delivered,
                )
            except KafkaException as error:
                # The client looked while the topic was being made anew, and believes it for a time.
                if error.args[0].code() != KafkaError._UNKNOWN_TOPIC:
                    raise
                return False
            return True

        wait_until(handed_over, _TOPIC_SEEN_WITHIN_S, "the client to see the topic made anew")
        producer.poll(0)

    def _producer(self) -> Producer:
        return Producer(
            {
                **kafka_config(self.settings.kafka_connection, "murmur-torture"),
                "log_level": 0,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "queue.buffering.max.messages": 1_000_000,
                "delivery.timeout.ms": 0,  # for ever
            }
        )
