"""Messages to what the sink stores: events of tweets.scored, and dead letters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast

from confluent_kafka import Message

from schemas.codec import Headers, InvalidEvent, Reason, decode_scored, run_in_headers
from schemas.events import ScoredEvent
from schemas.transport.dead_letters import DeadLetter, SourcePosition, dead_letter, from_message
from schemas.transport.log_proof import LastMessage, last_message

STAGE: Final = "sink"
_LAST_TIMESTAMP_MS: Final = 253_402_300_799_000
"""The end of the year 9999: whoever publishes chooses a message's timestamp."""
Partition: TypeAlias = tuple[str, int]


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
    message: Message


@dataclass
class Batch:
    """What one poll returned, sorted by what becomes of it."""

    events: list[Incoming] = field(default_factory=list)
    letters: list[Stored] = field(default_factory=list)
    invalid: list[DeadLetter] = field(default_factory=list)
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    last_messages: dict[Partition, LastMessage] = field(default_factory=dict)


def read_batch(messages: Sequence[Message], dead_letter_topic: str) -> Batch:
    """Decode messages in their order; none is dropped, and none raises."""
    batch = Batch()
    last: dict[Partition, Message] = {}
    for message in messages:
        position = position_of(message)
        batch.next_offsets[position.source, position.partition] = position.offset + 1
        last[position.source, position.partition] = message
        if position.source == dead_letter_topic:
            letter = from_message(message.key(), message.value(), headers_of(message), position)
            first_ms = letter.position.timestamp_ms or position.timestamp_ms
            published_at = datetime.fromtimestamp(min(first_ms, _LAST_TIMESTAMP_MS) / 1000, UTC)
            batch.letters.append(Stored(letter, published_at, position))
            continue
        try:
            event = decode_scored(message.value())
        except InvalidEvent as error:
            batch.invalid.append(refused(message, error.reason, error.detail))
        else:
            batch.events.append(Incoming(event, message))
    batch.last_messages = {partition: last_message(message) for partition, message in last.items()}
    return batch


def refused(message: Message, reason: Reason, detail: str) -> DeadLetter:
    """Make a dead letter of a message that this stage cannot store."""
    headers = headers_of(message)
    return dead_letter(
        run=run_in_headers(headers),
        stage=STAGE,
        reason=reason,
        detail=detail,
        position=position_of(message),
        key=message.key(),
        value=message.value(),
        headers=headers,
    )


def position_of(message: Message) -> SourcePosition:
    """Return where a message stands."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise ValueError("a consumed message has a topic, a partition and an offset")
    return SourcePosition(
        topic, partition, offset, min(max(0, message.timestamp()[1]), _LAST_TIMESTAMP_MS)
    )


def headers_of(message: Message) -> Headers:
    """Return a message's headers as pairs; none where their names are not UTF-8."""
    try:
        pairs = cast("Iterable[tuple[str, bytes | None]]", message.headers() or [])
    except SystemError:  # what confluent-kafka makes of a name that it cannot decode
        return []
    return [(name, value) for name, value in pairs if value is not None]
