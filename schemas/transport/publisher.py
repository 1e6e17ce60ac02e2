"""Publishing with confirmation: nothing counts as sent until the brokers have it."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.codec import Headers
from schemas.failures import Failure
from schemas.setting_views import KafkaConnection
from schemas.transport.kafka_config import kafka_config

logger = logging.getLogger(__name__)


class DeliveryFailed(Failure):
    """Messages were not confirmed: the caller must not go on as if they had been sent."""


class ConfirmingPublisher:
    """Publishes messages and says when all of them have been acknowledged.

    Idempotent and in order for each key; the partition of a key is the one that Java producers
    choose (murmur2). `publish` only hands over; whoever needs certainty calls `confirm`, which
    raises `DeliveryFailed` if any message since the last call was not acknowledged. One instance
    belongs to one thread.
    """

    def __init__(self, kafka: KafkaConnection, client_id: str) -> None:
        self._outstanding = 0
        self._failure: KafkaError | None = None
        self._producer = Producer(
            {
                **kafka_config(kafka, client_id),
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "linger.ms": 5,
                "queue.buffering.max.messages": 100_000,
                "queue.buffering.max.kbytes": 65_536,
                "delivery.timeout.ms": 120_000,
            }
        )

    @property
    def outstanding(self) -> int:
        """How many messages wait for their acknowledgement."""
        return self._outstanding

    def publish(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        on_delivered: Callable[[], None] | None = None,
    ) -> None:
        """Hand a message over, waiting while the buffer is full.

        `on_delivered` is called, in this thread, once the brokers have it. Raises
        `DeliveryFailed` where the message can never be sent, being too large.
        """

        def delivered(error: KafkaError | None, _message: Message) -> None:
            self._outstanding -= 1
            if error is not None:
                self._failure = error
            elif on_delivered is not None:
                on_delivered()

        while True:
            try:
                self._producer.produce(
                    topic, key=key, value=value, headers=list(headers), on_delivery=delivered
                )
            except BufferError:
                self._producer.poll(0.1)
                self._raise_on_failure()
            except KafkaException as error:
                raise DeliveryFailed(f"{topic}: {error.args[0]}") from error
            else:
                self._outstanding += 1
                self._producer.poll(0)
                return

    def serve(self, wait_s: float = 0.0) -> None:
        """Take in acknowledgements for at most `wait_s`; raise `DeliveryFailed` on a failure."""
        self._producer.poll(wait_s)
        self._raise_on_failure()

    def confirm_while(self, going_on: Callable[[], bool], meanwhile: Callable[[], None]) -> bool:
        """Tell whether every message was acknowledged before `going_on` said no.

        `meanwhile` is called between waits of 0.05 s. Raises `DeliveryFailed` on a failure.
        """
        while self._outstanding:
            if not going_on():
                return False
            self.serve(0.05)
            meanwhile()
        # Raises where the last acknowledgement was a refusal.
        self.serve()
        return True

    def confirm(self, timeout_s: float = 130.0) -> None:
        """Wait until every message has been acknowledged, or raise `DeliveryFailed`."""
        deadline = time.monotonic() + timeout_s
        while self._outstanding and time.monotonic() < deadline:
            self._producer.flush(min(1.0, timeout_s))
        self._raise_on_failure()
        if self._outstanding:
            raise DeliveryFailed(f"{self._outstanding} messages unconfirmed after {timeout_s} s")

    def _raise_on_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise DeliveryFailed(failure.str())
