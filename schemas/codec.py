"""Bytes to events and back: the only place that meets malformed bytes."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

from schemas.events import (
    Event,
    RawEvent,
    Removal,
    ScoredEvent,
    Tweet,
    TweetScored,
    event_key,
    event_type,
    valid_run_name,
)
from schemas.topics import MAX_EVENT_BYTES
from schemas.tweet_time import (
    FIRST_TWEET,
    LAST_MOMENT,
    ImplausibleTime,
    check_plausible,
    check_possible,
    is_possible,
)

Headers = list[tuple[str, bytes]]
EventT = TypeVar("EventT", RawEvent, ScoredEvent)
RemovalT = TypeVar("RemovalT", bound=Removal)

RUN_HEADER = "run"
TYPE_HEADER = "type"


class Reason(StrEnum):
    """Why something became a dead letter. Few and stable: people alert on them."""

    NOT_JSON = "not-json"
    INVALID_EVENT = "invalid-event"
    TOO_LARGE = "too-large"
    NUL_CHARACTER = "nul-character"
    UNREADABLE_LINE = "unreadable-line"
    MISSING_FIELD = "missing-field"
    IMPLAUSIBLE_TIME = "implausible-time"
    REFUSED_BY_DATABASE = "refused-by-database"
    SCORING_FAILED = "scoring-failed"


class InvalidEvent(Exception):
    """Bytes that are no event of ours, and never will be. Never carries the text itself."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


_REMOVAL_TIMES: Final = ("received_at", "deleted_at", "withheld_at", "erased_at")

encode: Final[Callable[[Event], bytes]] = msgspec.json.Encoder().encode
"""Returns the event's JSON, UTF-8, fields in the order in which they are declared."""

# PostgreSQL stores no NUL in a text. In JSON it can only stand as this escape; the escape may
# also follow an escaped backslash, where it is plain text, so the rare hit is looked at closely.
_NUL_ESCAPE = b"\\u0000"


class EventDecoder(Generic[EventT]):
    """What turns the messages of one topic into events."""

    def __init__(self, decoder: "msgspec.json.Decoder[EventT]") -> None:
        self._decode: Callable[[bytes], EventT] = decoder.decode

    def __call__(self, value: bytes | None) -> EventT:
        """Return the event; raise `InvalidEvent` and nothing else. Decodes JSON once."""
        if value is None:
            raise InvalidEvent(Reason.NOT_JSON, "the message has no value")
        if len(value) > MAX_EVENT_BYTES:
            raise InvalidEvent(Reason.TOO_LARGE, f"{len(value)} bytes, at most {MAX_EVENT_BYTES}")
        try:
            event = self._decode(value)
        except msgspec.ValidationError as error:
            raise InvalidEvent(Reason.INVALID_EVENT, str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidEvent(Reason.NOT_JSON, str(error)) from None
        event = _in_its_time(event)
        if _NUL_ESCAPE in value and "\\u0000" in encode(event).decode().replace("\\\\", ""):
            raise InvalidEvent(Reason.NUL_CHARACTER, "a text holds the character U+0000")
        return event


decode_raw: Final[EventDecoder[RawEvent]] = EventDecoder(msgspec.json.Decoder(RawEvent))
"""Decodes what `tweets.raw` holds."""

decode_scored: Final[EventDecoder[ScoredEvent]] = EventDecoder(msgspec.json.Decoder(ScoredEvent))
"""Decodes what `tweets.scored` holds."""


def key_of(event: Event) -> bytes:
    """Return the message key of an event."""
    return event_key(event).encode()


def headers_of(event: Event) -> Headers:
    """Return run and type, so that a reader can choose without decoding the value."""
    return [(RUN_HEADER, event.run.encode()), (TYPE_HEADER, event_type(event).encode())]


def run_in_headers(headers: Headers) -> str | None:
    """Return the run that a message's headers name, or None where they name no valid one."""
    named = next((value for name, value in headers if name == RUN_HEADER), None)
    run = named.decode(errors="replace") if named is not None else ""
    return run if valid_run_name(run) else None


def _in_its_time(event: EventT) -> EventT:
    """Return an event whose times can all be; a tweet's own time, which decides its day, in UTC.

    A tweet whose times cannot be is refused. What is removed goes whatever its times are: those of
    a removal that cannot be are left out, and the nearest one stands for its receipt.
    """
    if not isinstance(event, Tweet):
        return _removal_in_its_time(event)
    try:
        utc = event.posted_at.astimezone(UTC)
        check_possible(event.received_at)
        check_plausible(utc, event.received_at)
        if event.edited_at is not None:
            check_plausible(event.edited_at, event.received_at)
        if isinstance(event, TweetScored):
            check_possible(event.score.scored_at)
    except (ImplausibleTime, OverflowError) as error:
        raise InvalidEvent(Reason.IMPLAUSIBLE_TIME, str(error)) from None
    if event.posted_at.tzinfo is UTC:
        return event
    return msgspec.structs.replace(event, posted_at=utc)


def _removal_in_its_time(removal: RemovalT) -> RemovalT:
    impossible: dict[str, datetime | None] = {}
    for field in _REMOVAL_TIMES:
        moment = getattr(removal, field, None)
        if moment is not None and not is_possible(moment):
            nearest = FIRST_TWEET if moment < FIRST_TWEET else LAST_MOMENT
            impossible[field] = nearest if field == "received_at" else None
    return msgspec.structs.replace(removal, **impossible) if impossible else removal
