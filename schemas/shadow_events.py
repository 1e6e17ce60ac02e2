"""The events of `tweets.shadow`: what a challenger says of tweets that the champion has scored."""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.codec import RUN_HEADER, TYPE_HEADER, Headers, InvalidEvent, Reason
from schemas.events import ModelIdentity, Moment, Probability, RunName, Score, TweetId
from schemas.topics import MAX_EVENT_BYTES

_Label = Annotated[str, Meta(min_length=1, max_length=100)]


class TweetShadowed(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"
):
    """A challenger scored a tweet that counts by another model; nothing counts by it.

    `label` and `confidence` are what the serving `model` itself says, whatever decision was
    applied. (run, tweet_id, version) and the challenger identify the result; the first one wins.
    """

    run: RunName
    tweet_id: TweetId
    root_id: TweetId
    version: Annotated[int, Meta(ge=0, le=100)] = 0
    posted_at: Moment
    label: _Label
    confidence: Probability
    model: ModelIdentity
    challenger: Score


encode_shadowed: Final[Callable[[TweetShadowed], bytes]] = msgspec.json.Encoder().encode
"""Returns the value of a message of the topic."""

_decoder: Final = msgspec.json.Decoder(TweetShadowed)


def decode_shadowed(value: bytes) -> TweetShadowed:
    """Return the event of a message; raise `InvalidEvent` and nothing else."""
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEvent(Reason.TOO_LARGE, f"{len(value)} bytes, at most {MAX_EVENT_BYTES}")
    try:
        return _decoder.decode(value)
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.INVALID_EVENT, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(Reason.NOT_JSON, str(error)) from None


def shadow_key(event: TweetShadowed) -> bytes:
    """Return the key of a message: the tweet's root id, as in the other topics."""
    return event.root_id.encode()


def shadow_headers(event: TweetShadowed) -> Headers:
    """Return run and type, as the other topics have them."""
    return [(RUN_HEADER, event.run.encode()), (TYPE_HEADER, type(event).__name__.encode())]
