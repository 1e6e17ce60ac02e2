"""Putting scored tweets and deletions into PostgreSQL as the sink does it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

from confluent_kafka import Message

from schemas.events import ScoredEvent
from schemas.transport.dead_letters import DeadLetter
from schemas.transport.postgres import Connection
from stream_processors.sink.incoming import Incoming, Stored
from stream_processors.sink.transaction import SinkTransaction


def store(
    connection: Connection,
    events: Iterable[ScoredEvent],
    letters: Iterable[DeadLetter] = (),
    published_at: datetime | None = None,
) -> None:
    """Store events and dead letters as if they had been published now, or at a moment."""
    when = published_at or datetime.now(UTC)
    # Only what PostgreSQL refuses needs the message that an event came as.
    no_message = cast("Message", None)
    SinkTransaction({}).store(
        connection,
        [Incoming(event, when, no_message) for event in events],
        [Stored(letter, when) for letter in letters],
        {},
    )
