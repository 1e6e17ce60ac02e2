"""Messages to what the sink stores: events of tweets.scored, and dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from schemas.codec import InvalidEvent, decode_scored
from schemas.events import ScoredEvent
from schemas.transport.dead_letters import (
    DeadLetter,
    SourcePosition,
    from_message,
    letter_of,
    position_of,
)
from schemas.transport.log_proof import LastMessage, last_message
from schemas.transport.messages import LAST_TIMESTAMP_MS, ConsumedMessage, Partition

STAGE: Final = "sink"


@dataclass(frozen=True, slots=True)
class Stored:
    """A dead letter as `tweets.dead-letter` holds it: when it was published, and where it is."""

    letter: DeadLetter
    published_at: datetime
    at: SourcePosition


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event and the message that it came as."""

    event: ScoredEvent
    message: ConsumedMessage


@dataclass
class Batch:
    """What one poll returned, sorted by what becomes of it."""

    events: list[Incoming] = field(default_factory=list)
    letters: list[Stored] = field(default_factory=list)
    invalid: list[DeadLetter] = field(default_factory=list)
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    last_messages: dict[Partition, LastMessage] = field(default_factory=dict)


def read_batch(messages: Sequence[ConsumedMessage], dead_letter_topic: str) -> Batch:
    """Decode messages in their order; none is dropped, and none raises."""
    batch = Batch()
    last: dict[Partition, ConsumedMessage] = {}
    for message in messages:
        at = position_of(message)
        batch.next_offsets[message.topic, message.partition] = message.offset + 1
        last[message.topic, message.partition] = message
        if message.topic == dead_letter_topic:
            letter = from_message(message.key, message.value, message.headers, at)
            first_ms = letter.position.timestamp_ms or message.timestamp_ms
            published_at = datetime.fromtimestamp(min(first_ms, LAST_TIMESTAMP_MS) / 1000, UTC)
            batch.letters.append(Stored(letter, published_at, at))
            continue
        try:
            event = decode_scored(message.value)
        except InvalidEvent as error:
            batch.invalid.append(
                letter_of(message, stage=STAGE, reason=error.reason, detail=error.detail)
            )
        else:
            batch.events.append(Incoming(event, message))
    batch.last_messages = {partition: last_message(message) for partition, message in last.items()}
    return batch
