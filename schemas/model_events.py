"""The events of `models.promoted`: which model answers from now on.

The topic is compacted and has one key. Each event is whole: whoever reads the last one needs none
of those before it, and a rollback is an event as any other.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.events import Moment

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
    one sentence why.
    """

    promotion_id: Annotated[str, Meta(min_length=1, max_length=64)]
    models: Annotated[tuple[PromotedModel, ...], Meta(min_length=1, max_length=4)]
    salt: Annotated[str, Meta(max_length=64)] = ""
    decision: Annotated[str, Meta(max_length=2_000)]
    promoted_at: Moment

    @property
    def champion(self) -> PromotedModel:
        """The model that the others are compared with."""
        return self.models[0]
