"""One record's events and dead letters to Kafka."""

from collections.abc import Callable
from dataclasses import dataclass

from producers.parsing.provenance import Parsed, Refused
from producers.replay.ack_tracker import AckTracker
from producers.replay.record_reader import Placed
from producers.replay.report import FileReport
from producers.replay.throttle import Throttle
from schemas.codec import Reason, encode, headers_of, key_of
from schemas.events import RawEvent
from schemas.topics import MAX_EVENT_BYTES
from schemas.transport.dead_letters import SourcePosition, dead_letter, to_headers
from schemas.transport.publisher import ConfirmingPublisher

STAGE = "replay"


@dataclass(frozen=True)
class ReplayDestination:
    """Where a replay publishes."""

    publisher: ConfirmingPublisher
    raw_topic: str
    dead_letter_topic: str
    run: str


def publish_record(
    placed: Placed,
    parsed: Parsed,
    *,
    to: ReplayDestination,
    gate: Throttle,
    confirmations: AckTracker,
    report: FileReport,
) -> bool:
    """Publish what a record holds and count it; False where the replay was stopped meanwhile.

    The record opens one ticket, which all of its messages confirm: a record published in part
    stays below the position that is remembered. Raises `DeliveryFailed`.
    """
    encoded, too_large = _encoded(parsed.events)
    refused = [*parsed.refused, *too_large]
    ticket = confirmations.open(len(encoded), len(refused), placed.member)
    report.skipped.update(parsed.skipped)
    report.findings.add(placed, parsed)
    for event, value in encoded:
        if not gate.wait_for_turn(event):
            return False
        to.publisher.publish(
            to.raw_topic,
            key=key_of(event),
            value=value,
            headers=headers_of(event),
            on_delivered=ticket.confirm,
        )
        report.events[type(event).__name__] += 1
    for refusal in refused:
        if not gate.wait_for_room():
            return False
        _write_dead_letter(refusal, placed, to, ticket.confirm)
        report.dead_letters[refusal.reason] += 1
    return True


def _encoded(events: list[RawEvent]) -> tuple[list[tuple[RawEvent, bytes]], list[Refused]]:
    encoded = []
    too_large = []
    for place, event in enumerate(events):
        value = encode(event)
        if len(value) <= MAX_EVENT_BYTES:
            encoded.append((event, value))
        else:
            detail = f"the event has {len(value)} bytes, at most {MAX_EVENT_BYTES}"
            too_large.append(Refused(Reason.TOO_LARGE, detail, place))
    return encoded, too_large


def _write_dead_letter(
    refusal: Refused,
    placed: Placed,
    to: ReplayDestination,
    on_delivered: Callable[[], None],
) -> None:
    record = placed.record
    letter = dead_letter(
        run=to.run,
        stage=STAGE,
        reason=refusal.reason,
        detail=f"{placed.file_name}:{record.line}: {refusal.detail}",
        # The place in a page stands where a topic has its partition: two tweets of one line that
        # are both at fault are two dead letters.
        position=SourcePosition(
            f"file:{placed.origin.content}", record.place + refusal.place, record.line
        ),
        key=None,
        value=record.raw if refusal.raw is None else refusal.raw,
        headers=[],
    )
    to.publisher.publish(
        to.dead_letter_topic,
        key=letter.key,
        value=letter.value,
        headers=to_headers(letter),
        on_delivered=on_delivered,
    )
