"""X's API v2 on the wire: the fields that are read; all others are passed over.

X has two vocabularies for the same things: that of tweets (`referenced_tweets`, `note_tweet`,
`edit_history_tweet_ids`, `includes.tweets`) and, since 2026, that of posts (`referenced_posts`,
`note_post`, `edit_history_post_ids`, `includes.posts`). Both are read everywhere, in any mixture
within one document: each pair stands here side by side, and a property reads it as one.

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


class Note(Struct, gc=False):
    """The whole of a long post."""

    text: str | None = None


class WireReference(Struct, gc=False):
    """An entry of `referenced_tweets` or `referenced_posts`."""

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
    note_tweet: Note | None = None
    note_post: Note | None = None
    author_id: WireId | None = None

    @property
    def full_text(self) -> str | None:
        """The text of the long post where there is one."""
        note = self.note_tweet
        if self.note_post is not None:
            note = _longer_note(note, self.note_post)
        return note.text if note is not None and note.text else self.text


class WireTweet(IncludedTweet):
    """A tweet object."""

    created_at: datetime | None = None
    lang: str | None = None
    conversation_id: WireId | None = None
    edit_history_tweet_ids: list[WireId] | None = None
    edit_history_post_ids: list[WireId] | None = None
    referenced_tweets: list[WireReference] | None = None
    referenced_posts: list[WireReference] | None = None
    possibly_sensitive: bool | None = None

    @property
    def edit_history(self) -> list[WireId] | None:
        """The ids of all versions; the longer list where both vocabularies have one."""
        old, new = self.edit_history_tweet_ids, self.edit_history_post_ids
        return new if len(new or ()) > len(old or ()) else old

    @property
    def references(self) -> list[WireReference]:
        """The tweets that this one repeats, quotes or answers, each once."""
        old, new = self.referenced_tweets or [], self.referenced_posts
        if not new:
            return old
        known = {(reference.type, str(reference.id)) for reference in old}
        return [*old, *(ref for ref in new if (ref.type, str(ref.id)) not in known)]


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
    posts: list[IncludedTweet] | None = None

    @property
    def completing(self) -> list[IncludedTweet]:
        """The tweets that complete others."""
        return [*(self.tweets or ()), *(self.posts or ())]


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


def _longer_note(one: Note | None, other: Note) -> Note:
    if one is None or len(other.text or "") > len(one.text or ""):
        return other
    return one
