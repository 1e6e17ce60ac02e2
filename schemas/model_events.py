"""The events of `models.promoted`: which model answers from now on.

The topic is compacted and has one key. Each event is whole: whoever reads the last one needs none
of those before it, and a rollback is an event as any other.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.codec import InvalidEvent, Reason
from schemas.events import Moment
from schemas.topics import MAX_EVENT_BYTES

PROMOTED_KEY: Final = b"serving"
ALL_WEIGHTS: Final = 10_000
"""What the weights of a promotion add up to."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class PromotedModel(Struct, frozen=True, kw_only=True):
    """A model and where its bundle is to be had.

    `sha256` is of the bundle's manifest, so of all its files: whoever fetches the bundle trusts
    the hash and not the place. `address` is a folder, or a URL below which its files are.
    `weight` is its share of the tweets, in ten-thousandths.
    """

    name: Name
    version: Name
    sha256: Sha256
    address: Annotated[str, Meta(min_length=1, max_length=2_000)]
    weight: Annotated[int, Meta(ge=1, le=ALL_WEIGHTS)] = ALL_WEIGHTS


class ModelPromoted(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"
):
    """These models answer from now on; the first one is the champion.

    Several share the tweets by their weights, which add up to `ALL_WEIGHTS`, by a hash of `salt`
    and the tweet's root id (of the retweeted tweet's id where it is a retweet). `decision` says in
    one sentence why. `undoes` is the id of the promotion that a rollback takes back.
    """

    promotion_id: Annotated[str, Meta(min_length=1, max_length=64)]
    models: Annotated[tuple[PromotedModel, ...], Meta(min_length=1, max_length=4)]
    salt: Annotated[str, Meta(max_length=64)] = ""
    decision: Annotated[str, Meta(max_length=2_000)]
    promoted_at: Moment
    undoes: Annotated[str, Meta(max_length=64)] = ""

    def __post_init__(self) -> None:
        """Raise `ValueError` unless the weights add up, and no model is named twice."""
        if sum(model.weight for model in self.models) != ALL_WEIGHTS:
            raise ValueError(f"the weights of the models do not add up to {ALL_WEIGHTS}")
        if len({model.sha256 for model in self.models}) != len(self.models):
            raise ValueError("a model is named twice")

    @property
    def champion(self) -> PromotedModel:
        """The model that the others are compared with."""
        return self.models[0]


_encode: Final[Callable[[ModelPromoted], bytes]] = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(ModelPromoted)


def encode_promoted(event: ModelPromoted) -> bytes:
    """Return the value of a message of the topic."""
    return _encode(event)


def decode_promoted(value: bytes) -> ModelPromoted:
    """Return the event of a message; raise `InvalidEvent` and nothing else."""
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEvent(Reason.TOO_LARGE, f"{len(value)} bytes, at most {MAX_EVENT_BYTES}")
    try:
        return _decoder.decode(value)
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.INVALID_EVENT, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(Reason.NOT_JSON, str(error)) from None
