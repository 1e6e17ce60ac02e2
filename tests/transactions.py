"""What other people's clients do: transactions, kept or aborted, and offsets committed by hand."""

import secrets
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.codec import encode, headers_of, key_of
from schemas.events import Event
from schemas.settings import Settings
from schemas.topics import SCORE_GROUP
from schemas.transport.kafka_config import kafka_config
from schemas.transport.messages import Partition

ANY_PARTITION: Final = -1
"""The one of the key."""


def in_a_transaction(
    settings: Settings,
    topic: str,
    events: Sequence[Event],
    *,
    kept: bool,
    partition: int = ANY_PARTITION,
) -> None:
    """Publish events in one transaction; raise `KafkaException` where the broker is away.

    A transaction that was left open is aborted by the broker after 30 s.
    """
    producer = Producer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "log_level": 0,
            "transactional.id": secrets.token_hex(8),
            "transaction.timeout.ms": 30_000,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for event in events:
        producer.produce(
            settings.names.topic(topic),
            key=key_of(event),
            value=encode(event),
            headers=list(headers_of(event)),
            partition=partition,
        )
    # All of them are in the log, aborted or not.
    producer.flush(30)
    if kept:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def commit(settings: Settings, partition: Partition, offset: int, *, topic_id: str = "") -> None:
    """Commit an offset for scoring, which does not run, as one of the topic with this id."""
    with closing(_as_scoring(settings)) as consumer:
        where = TopicPartition(*partition, offset, metadata=topic_id)
        consumer.commit(offsets=[where], asynchronous=False)


def committed(settings: Settings, partition: Partition) -> tuple[int, str]:
    """Return the offset that scoring committed, and the id of the topic that it was."""
    with closing(_as_scoring(settings)) as consumer:
        (found,) = consumer.committed([TopicPartition(*partition)], timeout=30)
        return found.offset, found.metadata or ""


def _as_scoring(settings: Settings) -> Consumer:
    return Consumer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "group.id": settings.names.group(SCORE_GROUP),
        }
    )
