"""Dead letters: what could not be processed, untouched, with where it came from and why."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from schemas.codec import RUN_HEADER, Headers, Reason, run_in_headers
from schemas.transport.messages import ConsumedMessage
from schemas.transport.publisher import ConfirmingPublisher

MAX_KEPT_BYTES: Final = 256 * 1024
TRUNCATED_BYTES: Final = 64 * 1024
"""A value above `MAX_KEPT_BYTES` is cut to this; its size and hash are in the headers."""

MAX_KEY_BYTES: Final = 64 * 1024
MAX_HEADERS_BYTES: Final = 64 * 1024
CUT_HEADER: Final = "murmur.errors.cut"
"""Names what else was cut (key, headers) so that a dead letter always fits into a message."""

# Names as Kafka Streams gives them to its dead letters (KIP-1034), so that tools know them.
_MESSAGE = "__streams.errors.message"
_TOPIC = "__streams.errors.topic"
_PARTITION = "__streams.errors.partition"
_OFFSET = "__streams.errors.offset"
_REASON = "murmur.errors.reason"
_STAGE = "murmur.errors.stage"
_TIMESTAMP = "murmur.errors.timestamp-ms"
_SIZE = "murmur.errors.value-size-bytes"
_SHA256 = "murmur.errors.value-sha256"
_MAX_DETAIL_CHARS: Final = 2_000
_MAX_NAME_CHARS: Final = 300
_LARGEST_PARTITION: Final = 2**31 - 1
_OURS = (_MESSAGE, _TOPIC, _PARTITION, _OFFSET, _REASON, _STAGE, _TIMESTAMP, _SIZE, _SHA256)


@dataclass(frozen=True)
class SourcePosition:
    """Where something was read: a topic, or a file (`file:` and the hash of its content).

    In a file the offset is the number of the line, from 1. The timestamp is the message's own and
    tells apart the offsets of a topic that was made anew.
    """

    source: str
    partition: int
    offset: int
    timestamp_ms: int = 0


@dataclass(frozen=True)
class DeadLetter:
    """One thing that could not be processed. `value` is cut where it is very large."""

    run: str | None
    stage: str
    reason: str
    detail: str
    position: SourcePosition
    key: bytes | None
    value: bytes | None
    value_size_bytes: int
    value_sha256: str
    headers: Headers = field(default_factory=list)


def dead_letter(
    *,
    run: str | None,
    stage: str,
    reason: Reason,
    detail: str,
    position: SourcePosition,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
) -> DeadLetter:
    """Make a dead letter of what was read, cutting a value above `MAX_KEPT_BYTES`."""
    whole = value or b""
    kept = value if len(whole) <= MAX_KEPT_BYTES else whole[:TRUNCATED_BYTES]
    kept_key, kept_headers, cut = _bounded(key, headers)
    return DeadLetter(
        run=run,
        stage=stage,
        reason=reason,
        detail=detail[:_MAX_DETAIL_CHARS],
        position=position,
        key=kept_key,
        value=kept,
        value_size_bytes=len(whole),
        value_sha256=hashlib.sha256(whole).hexdigest(),
        headers=[*kept_headers, *cut],
    )


def letter_of(message: ConsumedMessage, *, stage: str, reason: Reason, detail: str) -> DeadLetter:
    """Make a dead letter of a message that a stage cannot process."""
    return dead_letter(
        run=run_in_headers(message.headers),
        stage=stage,
        reason=reason,
        detail=detail,
        position=position_of(message),
        key=message.key,
        value=message.value,
        headers=message.headers,
    )


def position_of(message: ConsumedMessage) -> SourcePosition:
    """Return where a message stood."""
    return SourcePosition(message.topic, message.partition, message.offset, message.timestamp_ms)


def _bounded(key: bytes | None, headers: Headers) -> tuple[bytes | None, Headers, Headers]:
    """Return key and headers within their bounds, and a header that names what was cut."""
    cut = []
    if key is not None and len(key) > MAX_KEY_BYTES:
        key = key[:MAX_KEY_BYTES]
        cut.append("key")
    if sum(len(name.encode()) + len(value) for name, value in headers) > MAX_HEADERS_BYTES:
        headers = []
        cut.append("headers")
    return key, headers, [(CUT_HEADER, ",".join(cut).encode())] if cut else []


def to_headers(letter: DeadLetter) -> Headers:
    """Return the message's own headers, as they were, and ours behind them."""
    ours = {
        _MESSAGE: letter.detail,
        _TOPIC: letter.position.source,
        _PARTITION: str(letter.position.partition),
        _OFFSET: str(letter.position.offset),
        _REASON: letter.reason,
        _STAGE: letter.stage,
        _TIMESTAMP: str(letter.position.timestamp_ms),
        _SIZE: str(letter.value_size_bytes),
        _SHA256: letter.value_sha256,
    }
    own = [(name, value) for name, value in letter.headers if name not in ours]
    if letter.run is not None and all(name != RUN_HEADER for name, _ in own):
        own.append((RUN_HEADER, letter.run.encode()))
    return own + [(name, value.encode(errors="replace")) for name, value in ours.items()]


def from_message(
    key: bytes | None, value: bytes | None, headers: Headers, position: SourcePosition
) -> DeadLetter:
    """Return the dead letter that a message of `tweets.dead-letter` is.

    Never raises: a message without our headers (somebody else's) is described by `position`, its
    own place in the topic.
    """
    own = [(name, content) for name, content in headers if name not in _OURS]
    ours = {n: c.decode(errors="replace") for n, c in headers if n in _OURS and c is not None}
    run = run_in_headers(own)
    whole = value or b""
    named = [_number(ours.get(name)) for name in (_PARTITION, _OFFSET, _TIMESTAMP)]
    numbers = [number for number in named if number is not None]
    if _TOPIC in ours and len(numbers) == len(named) and numbers[0] <= _LARGEST_PARTITION:
        position = SourcePosition(ours[_TOPIC][:_MAX_NAME_CHARS], *numbers)
    size_bytes = _number(ours.get(_SIZE))
    return DeadLetter(
        run=run,
        stage=ours.get(_STAGE, "unknown")[:_MAX_NAME_CHARS],
        reason=ours.get(_REASON, "unknown")[:_MAX_NAME_CHARS],
        detail=ours.get(_MESSAGE, "")[:_MAX_DETAIL_CHARS],
        position=position,
        key=key,
        value=value,
        value_size_bytes=len(whole) if size_bytes is None else size_bytes,
        value_sha256=ours.get(_SHA256, "")[:64] or hashlib.sha256(whole).hexdigest(),
        headers=own,
    )


def _number(text: str | None) -> int | None:
    """Return a count that fits a signed 64-bit integer, or None: anybody may write headers."""
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > 18:
        return None
    return int(text)


class DeadLetterWriter:
    """Publishes dead letters; whoever writes one confirms it before committing its source."""

    def __init__(self, publisher: ConfirmingPublisher, topic: str) -> None:
        self._publisher = publisher
        self._topic = topic

    def write(self, letter: DeadLetter) -> None:
        """Hand a dead letter over; `publisher.confirm` says when it is safe."""
        self._publisher.publish(
            self._topic, key=letter.key, value=letter.value, headers=to_headers(letter)
        )
