"""Putting scored tweets and deletions into PostgreSQL as the sink does it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

import msgspec

from schemas.events import ScoredEvent, TweetScored
from schemas.transport.dead_letters import DeadLetter
from schemas.transport.messages import ConsumedMessage
from schemas.transport.postgres import Connection
from stream_processors.sink.incoming import Incoming, Stored
from stream_processors.sink.transaction import SinkTransaction


def arrived_now(tweets: Iterable[TweetScored]) -> list[TweetScored]:
    """Return the tweets as if they had come in now, after a deletion of their run."""
    now = datetime.now(UTC)
    return [msgspec.structs.replace(tweet, received_at=now) for tweet in tweets]


def store(
    connection: Connection,
    events: Iterable[ScoredEvent],
    letters: Iterable[DeadLetter] = (),
    transaction: SinkTransaction | None = None,
) -> None:
    """Store events and dead letters as if they had been published now."""
    when = datetime.now(UTC)
    # Only what PostgreSQL refuses needs the message that an event came as.
    no_message = cast("ConsumedMessage", None)
    (transaction or SinkTransaction({})).store(
        connection,
        [Incoming(event, no_message) for event in events],
        [Stored(letter, when, letter.position) for letter in letters],
        {},
    )
