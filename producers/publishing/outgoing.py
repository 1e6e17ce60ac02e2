"""What was read, as messages: its events to `tweets.raw`, what was refused to the dead letters."""

from msgspec import Struct

from producers.parsing.provenance import Parsed, Refused
from producers.publishing.destination import Destination
from schemas.codec import Headers, Reason, encode, headers_of, key_of
from schemas.events import RawEvent
from schemas.topics import MAX_EVENT_BYTES
from schemas.transport.dead_letters import SourcePosition, dead_letter, to_headers
from schemas.transport.publisher import ConfirmingPublisher


class SourceRecord(Struct, frozen=True):
    """What was read at once (a line, a page, a row), and where its dead letters say that it stood.

    `source`, `place`, `number` and `timestamp_ms` become their `SourcePosition`: a source that is
    no topic has the place in a page where a topic has its partition, so that two tweets of one
    line that are both at fault are two dead letters. `name` is what a person is told of the
    source, empty where it says nothing.
    """

    raw: bytes
    source: str
    number: int
    place: int = 0
    timestamp_ms: int = 0
    name: str = ""


class EventMessage(Struct, frozen=True):
    """An event, encoded."""

    event: RawEvent
    key: bytes
    value: bytes
    headers: Headers


class LetterMessage(Struct, frozen=True):
    """A dead letter."""

    reason: Reason
    value: bytes | None
    headers: Headers


class Outgoing(Struct, frozen=True):
    """All messages of one record, in the order in which they are published."""

    events: list[EventMessage]
    dead_letters: list[LetterMessage]


def outgoing(record: SourceRecord, parsed: Parsed, to: Destination) -> Outgoing:
    """Return the messages of what a record holds.

    Each event is encoded once; one above `MAX_EVENT_BYTES` becomes a dead letter.
    """
    events = []
    refused = parsed.refused
    for place, event in enumerate(parsed.events):
        value = encode(event)
        if len(value) <= MAX_EVENT_BYTES:
            events.append(EventMessage(event, key_of(event), value, headers_of(event)))
        else:
            detail = f"the event has {len(value)} bytes, at most {MAX_EVENT_BYTES}"
            refused = [*refused, Refused(Reason.TOO_LARGE, detail, place)]
    # Nearly always empty, and a comprehension costs a call.
    letters = [_letter(record, each, to) for each in refused] if refused else []
    return Outgoing(events, letters)


def publish_record(
    publisher: ConfirmingPublisher, record: SourceRecord, parsed: Parsed, to: Destination
) -> Outgoing:
    """Hand over what a record holds and return it; `publisher.confirm` says when it is safe.

    Raises `DeliveryFailed`.
    """
    messages = outgoing(record, parsed, to)
    for event in messages.events:
        publisher.publish(to.raw_topic, key=event.key, value=event.value, headers=event.headers)
    for letter in messages.dead_letters:
        publisher.publish(
            to.dead_letter_topic, key=None, value=letter.value, headers=letter.headers
        )
    return messages


def _letter(record: SourceRecord, refused: Refused, to: Destination) -> LetterMessage:
    where = f"{record.name}:{record.number}: " if record.name else ""
    letter = dead_letter(
        run=to.run,
        stage=to.stage,
        reason=refused.reason,
        detail=where + refused.detail,
        position=SourcePosition(
            record.source, record.place + refused.place, record.number, record.timestamp_ms
        ),
        key=None,
        value=record.raw if refused.raw is None else refused.raw,
        headers=[],
    )
    return LetterMessage(refused.reason, letter.value, to_headers(letter))
