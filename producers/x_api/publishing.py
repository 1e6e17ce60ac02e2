"""What X's documents hold, to Kafka: events to `tweets.raw`, the rest to the dead letters."""

from dataclasses import dataclass
from datetime import datetime

from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin, Parsed, Refused
from producers.x_api.documents import parse_document
from schemas.codec import Reason, encode, headers_of, key_of
from schemas.events import RawEvent
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, MAX_EVENT_BYTES, RAW, topic_name
from schemas.transport.dead_letters import SourcePosition, dead_letter, to_headers
from schemas.transport.publisher import ConfirmingPublisher

STREAM_SOURCE = "x-v2"
"""What the events of the live stream say of where they come from: an archive's name for X's format,
so that its capture says the same."""

SEARCH_SOURCE = "x-v2:recent-search"
"""What the events of a refilled gap say."""


@dataclass(frozen=True)
class Destination:
    """Where documents of X are published, and as what. `stage` names the step in dead letters."""

    raw_topic: str
    dead_letter_topic: str
    stage: str
    origin: Origin


def destination(
    settings: Settings, stage: str, run: str, source: str, content: str, run_started_at: datetime
) -> Destination:
    """Return the destination on this cluster; `content` identifies what is read."""
    origin = Origin(run=run, run_started_at=run_started_at, source=source, content=content)
    return Destination(topic_name(settings, RAW), topic_name(settings, DEAD_LETTER), stage, origin)


@dataclass(frozen=True)
class Document:
    """A line or page of X. `number` is its place in what is read, from 1."""

    raw: bytes
    received_at: datetime
    number: int


def read_document(document: Document, origin: Origin) -> Parsed:
    """Return what a document holds, its faults and what is too large as refused; never raises."""
    try:
        parsed = parse_document(document.raw, origin, document.received_at, document.number)
    except Unparsable as fault:
        return Parsed(refused=[Refused(fault.reason, fault.detail)])
    kept: list[RawEvent] = []
    for place, event in enumerate(parsed.events):
        size_bytes = len(encode(event))
        if size_bytes <= MAX_EVENT_BYTES:
            kept.append(event)
        else:
            detail = f"the event has {size_bytes} bytes, at most {MAX_EVENT_BYTES}"
            parsed.refused.append(Refused(Reason.TOO_LARGE, detail, place))
    parsed.events = kept
    return parsed


def publish_event(publisher: ConfirmingPublisher, event: RawEvent, raw_topic: str) -> None:
    """Hand an event over; `publisher.confirm` says when it is safe."""
    publisher.publish(raw_topic, key=key_of(event), value=encode(event), headers=headers_of(event))


def publish_document(
    publisher: ConfirmingPublisher,
    document: Document,
    to: Destination,
) -> Parsed:
    """Hand over what a document holds, whatever it is, and return that."""
    parsed = read_document(document, to.origin)
    for event in parsed.events:
        publish_event(publisher, event, to.raw_topic)
    for refused in parsed.refused:
        letter = dead_letter(
            run=to.origin.run,
            stage=to.stage,
            reason=refused.reason,
            detail=f"{to.origin.content}:{document.number}: {refused.detail}",
            position=SourcePosition(
                to.origin.content,
                refused.place,
                document.number,
                int(document.received_at.timestamp() * 1000),
            ),
            key=None,
            value=document.raw if refused.raw is None else refused.raw,
            headers=[],
        )
        publisher.publish(
            to.dead_letter_topic, key=None, value=letter.value, headers=to_headers(letter)
        )
    return parsed
