"""X's API v2 on the wire: the fields that are read; all others are passed over.

Nothing is required here, so that a missing field can be named precisely. No field is a Literal or
an Enum: their errors would repeat a value from outside.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder

from producers.parsing.tweet_context import NO_CONTEXT, TweetContext

NOTHING: Final = Raw(b"null")
"""What an undecoded field holds where it is missing."""

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


class Attachments(Struct):
    """What is read of a tweet's media."""

    media_keys: list[str] | None = None


class WireUser(Struct):
    """What is read of an account in `includes`."""

    id: WireId | None = None
    username: str | None = None


class PostedTweet(WireTweet):
    """A tweet that a document is about. Its attachments stay undecoded until a rule asks."""

    attachments: Raw = NOTHING


class Includes(Struct):
    """What completes the tweets of a document. Its users stay undecoded until a rule asks."""

    tweets: list[IncludedTweet] | None = None
    users: Raw = NOTHING


class WireDocument(PostedTweet):
    """A line of a stream, a page of a search, or a bare tweet: then `data` is None."""

    data: PostedTweet | list[PostedTweet] | None = None
    includes: Includes | None = None
    matching_rules: list[WireRule] | None = None
    errors: list[Raw] | None = None

    def tweet_context(self) -> TweetContext:
        """Return what stands beside the tweets of `data`; nothing where that is faulty."""
        data = self.data or []
        try:
            users = None if self.includes is None else _users.decode(self.includes.users)
            media = {
                tweet.id: _attachments.decode(tweet.attachments)
                for tweet in (data if isinstance(data, list) else [data])
            }
        except (DecodeError, UnicodeDecodeError, RecursionError):
            return NO_CONTEXT
        return context_of(users, media)


def context_of(
    users: list[WireUser] | None, media: Mapping[WireId | None, Attachments | None]
) -> TweetContext:
    """Return the context that the users of `includes`, and attachments by tweet, make."""
    return TweetContext(
        {str(user.id): user.username.casefold() for user in users or () if user.username},
        frozenset(
            str(tweet_id)
            for tweet_id, attachments in media.items()
            if attachments is not None and attachments.media_keys
        ),
    )


_users: Final = Decoder(list[WireUser] | None)
_attachments: Final = Decoder(Attachments | None)
