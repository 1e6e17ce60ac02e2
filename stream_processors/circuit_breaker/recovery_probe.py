"""A process that starts during a hold: it waits, outside the group, and looks whether it may go on.

While it is held nothing is consumed, so the ratio cannot fall by itself. It is taken again of what
waits: with mended code, another model, a higher bound or better messages it may be low enough.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from schemas.setting_views import Cluster, HoldLimits
from schemas.topics import RAW, SCORE_GROUP
from schemas.transport.group_lag import KafkaUnavailable
from schemas.transport.kafka_config import kafka_config
from schemas.transport.messages import ConsumedMessage, from_confluent
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker import CircuitBreaker
from stream_processors.circuit_breaker.dead_letter_ratio import Excess, exceeds

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0
"""A look costs as much as scoring a window of the ratio, so a few seconds at most."""

_READ_WITHIN_S: Final = 10.0

Judge = Callable[[Sequence[ConsumedMessage]], int]
"""Says how many messages would become dead letters, and publishes nothing."""

Look = Callable[[], Excess]
"""Counts what would become of the messages that wait; see `found_waiting`."""


def wait_while_held(
    guard: CircuitBreaker,
    limits: HoldLimits,
    *,
    look: Look,
    publisher: ConfirmingPublisher,
    stopped: Callable[[], bool],
) -> None:
    """Return when scoring is not held, or when told to stop; release it where it may go on."""
    look_at_s = time.monotonic()
    while not stopped() and not guard.wait_for_release(0.2):
        if time.monotonic() < look_at_s:
            continue
        found = look()
        if found.messages >= limits.window_messages and not exceeds(found, limits.most_ratio):
            logger.warning(
                "released: of %d waiting messages %d would become dead letters",
                found.messages,
                found.letters,
            )
            guard.board.publish_release(publisher)
            publisher.confirm()
        look_at_s = time.monotonic() + LOOK_EVERY_S


def found_waiting(cluster: Cluster, judge: Judge, *, messages: int, most_together: int) -> Excess:
    """Count what would become of the next messages, judged at most so many together.

    `messages` is as many as the ratio is taken over; fewer may wait.
    """
    try:
        waiting = _waiting_messages(cluster, messages)
    except KafkaUnavailable as error:
        logger.warning("%s", error)
        waiting = []
    letters = 0
    for start in range(0, len(waiting), most_together):
        letters += judge(waiting[start : start + most_together])
    return Excess(letters=letters, messages=len(waiting))


def _waiting_messages(cluster: Cluster, most: int) -> list[ConsumedMessage]:
    """Return the next messages that the group has not processed, without joining it."""
    topic = cluster.names.topic(RAW)
    consumer = Consumer(
        {
            **kafka_config(cluster.kafka, "murmur-hold-look"),
            "group.id": cluster.names.group(SCORE_GROUP),
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    try:
        numbers = consumer.list_topics(topic, timeout=_READ_WITHIN_S).topics[topic].partitions
        partitions = consumer.committed(
            [TopicPartition(topic, number) for number in numbers], timeout=_READ_WITHIN_S
        )
        for partition in partitions:
            partition.offset = partition.offset if partition.offset >= 0 else OFFSET_BEGINNING
        consumer.assign(partitions)
        found: list[ConsumedMessage] = []
        deadline_s = time.monotonic() + _READ_WITHIN_S
        while len(found) < most and time.monotonic() < deadline_s:
            messages = consumer.consume(most - len(found), 1.0)
            if not messages:
                break
            found += [from_confluent(message) for message in messages if message.error() is None]
    except KafkaException as error:
        raise KafkaUnavailable(f"Kafka did not answer: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return found
