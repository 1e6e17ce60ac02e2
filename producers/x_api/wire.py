"""X's API v2 on the wire: the fields that are read; all others are passed over.

Nothing is required here, so that a missing field can be named precisely. No field is a Literal or
an Enum: their errors would repeat a value from outside.
"""

from datetime import datetime

from msgspec import Raw, Struct

WireId = str | int
"""A string in X's own JSON, a number in files that other tools have made."""


class NoteTweet(Struct, gc=False):
    """The whole of a long post."""

    text: str | None = None


class WireReference(Struct, gc=False):
    """An entry of `referenced_tweets`."""

    type: str | None = None
    id: WireId | None = None


class WireRule(Struct, gc=False):
    """An entry of `matching_rules`."""

    id: WireId | None = None
    tag: str | None = None


class IncludedTweet(Struct):
    """What is read of any tweet, also of one of `includes`, which only completes another."""

    id: WireId | None = None
    text: str | None = None
    note_tweet: NoteTweet | None = None
    author_id: WireId | None = None

    @property
    def full_text(self) -> str | None:
        """The text of the long post where there is one."""
        note = self.note_tweet
        return note.text if note is not None and note.text else self.text


class WireTweet(IncludedTweet):
    """A tweet object."""

    created_at: datetime | None = None
    lang: str | None = None
    conversation_id: WireId | None = None
    edit_history_tweet_ids: list[WireId] | None = None
    referenced_tweets: list[WireReference] | None = None
    possibly_sensitive: bool | None = None


class Includes(Struct):
    """What completes the tweets of a document."""

    tweets: list[IncludedTweet] | None = None


class WireDocument(Struct):
    """A line of a stream or a page of a search."""

    data: WireTweet | list[WireTweet] | None = None
    includes: Includes | None = None
    matching_rules: list[WireRule] | None = None
    errors: list[Raw] | None = None
