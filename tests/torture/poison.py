"""Messages that are no events of ours, every one with content of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from schemas.codec import encode
from schemas.topics import MAX_EVENT_BYTES
from tests.unit.examples import posted, scored_tweet

LARGEST_BYTES: Final = 900_000
"""About as much as Kafka takes by default."""

REFUSED_BY_KAFKA_BYTES: Final = 2 * 1024 * 1024
_EVERY_SO_MANY_IS_LARGE: Final = 30


def poison(count: int) -> Iterator[bytes | None]:
    """Yield what `tweets.raw` may hold and no worker can use: each kind as often as the others."""
    for number in range(count):
        if number % _EVERY_SO_MANY_IS_LARGE == 0:
            yield _with(number, text="x" * LARGEST_BYTES)
        else:
            yield _KINDS[number % len(_KINDS)](number)


def junk(count: int) -> Iterator[bytes | None]:
    """Yield what `tweets.scored` may hold and the sink cannot store."""
    score = msgspec.to_builtins(scored_tweet())
    for number in range(count):
        wrong = {**score, "root_id": f"{number:x}", "tweet_id": f"{number:x}"}
        wrong["score"] = {**wrong["score"], "confidence": 1 + number}
        yield [
            b"junk %d" % number,
            msgspec.json.encode(wrong),
            msgspec.json.encode({**score, "text": f"{number}\x00"}),
            _with(number),
        ][number % 4]


def _with(number: int, **fields: Any) -> bytes:
    """Return a raw tweet of which some fields are not as they must be."""
    event = msgspec.to_builtins(posted(text=f"poison {number}"))
    return msgspec.json.encode({**event, **fields})


def _without(number: int, field: str) -> bytes:
    event = msgspec.to_builtins(posted(text=f"poison {number}"))
    del event[field]
    return msgspec.json.encode(event)


def _long_ago(number: int) -> bytes:
    return encode(posted(text=f"poison {number}", posted_at=datetime(1066, 10, 14, tzinfo=UTC)))


def _far_off(number: int) -> bytes:
    return encode(posted(text=f"poison {number}", posted_at=datetime(9999, 12, 31, tzinfo=UTC)))


_KINDS: Final[tuple[Callable[[int], bytes | None], ...]] = (
    lambda number: b"{not json %d" % number,
    lambda number: b"\xff\xfe\x00%d" % number,
    lambda _: b"",
    lambda _: None,
    lambda number: b"[" * (3_000 + number),
    lambda number: _with(number, type="TweetLiked"),
    lambda number: _with(number, tweet_id=number),
    lambda number: _with(number, tweet_id=""),
    lambda number: _with(number, version="first"),
    lambda number: _with(number, rules={"tag": number}),
    lambda number: _with(number, text=f"{number}\x00"),
    lambda number: _with(number, text="surrogate").replace(b"surrogate", b"%d \\ud800" % number),
    lambda number: _with(number, text="x" * MAX_EVENT_BYTES),
    lambda number: _with(number, run="../../etc"),
    lambda number: _without(number, "tweet_id"),
    lambda number: _without(number, "root_id"),
    _long_ago,
    _far_off,
)
