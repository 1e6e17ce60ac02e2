"""Publishing as other people's producers do it: in transactions, kept or aborted."""

import secrets
from collections.abc import Sequence

from confluent_kafka import Producer

from schemas.codec import encode, headers_of, key_of
from schemas.events import Event
from schemas.settings import Settings
from schemas.transport.kafka_config import kafka_config


def in_a_transaction(
    settings: Settings,
    topic: str,
    events: Sequence[Event],
    *,
    kept: bool,
    partition: int | None = None,
) -> None:
    """Publish events in one transaction, in one partition if that is named."""
    producer = Producer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "transactional.id": secrets.token_hex(8),
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    where = {} if partition is None else {"partition": partition}
    for event in events:
        producer.produce(
            settings.names.topic(topic),
            key=key_of(event),
            value=encode(event),
            headers=list(headers_of(event)),
            **where,
        )
    # All of them are in the log, aborted or not.
    producer.flush(30)
    if kept:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)
