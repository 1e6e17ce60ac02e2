"""Lines of the sample archive, as X's API v2 writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from schemas.tweet_time import TWITTER_EPOCH

_SEQUENCE_BITS: Final = 22
_SHORT_TEXT_CHARS: Final = 280
_RETWEET_CHARS: Final = 140


@dataclass(frozen=True)
class Author:
    """An account."""

    id: str
    username: str


@dataclass(frozen=True)
class Post:
    """A version of a tweet. `history` holds the ids of its versions up to this one."""

    id: str
    author: Author
    text: str
    language: str
    rules: tuple[str, ...]
    history: tuple[str, ...]
    retweet_of: "Post | None" = None

    @property
    def root_id(self) -> str:
        """The id of the first version."""
        return self.history[0]

    @property
    def posted_at(self) -> datetime:
        """The time inside the id."""
        return TWITTER_EPOCH + timedelta(milliseconds=int(self.id) >> _SEQUENCE_BITS)


def snowflake(moment: datetime, sequence: int) -> str:
    """Return the id of a tweet posted at `moment`; `sequence` (22 bits) tells apart equal times."""
    milliseconds = (moment - TWITTER_EPOCH) // timedelta(milliseconds=1)
    return str((milliseconds << _SEQUENCE_BITS) | sequence)


def post_line(post: Post, rule_ids: Sequence[str]) -> bytes:
    """Return the line of a post; `rule_ids` are all rules there are, in the order of their ids.

    A retweet's text is cut and the whole one stands in `includes`; so X does it.
    """
    author = post.author
    data = _tweet(post)
    users = [author]
    includes: dict[str, object] = {}
    original = post.retweet_of
    if original is not None:
        text = f"RT @{original.author.username}: {post.text}"
        data["text"] = text if len(text) <= _RETWEET_CHARS else f"{text[: _RETWEET_CHARS - 1]}…"
        data.pop("note_tweet", None)
        data["referenced_tweets"] = [{"type": "retweeted", "id": original.id}]
        includes["tweets"] = [_tweet(original)]
        users.append(original.author)
    includes["users"] = [
        {"id": user.id, "name": user.username.title(), "username": user.username} for user in users
    ]
    rules = [{"id": str(9_000 + rule_ids.index(rule)), "tag": rule} for rule in post.rules]
    return msgspec.json.encode({"data": data, "includes": includes, "matching_rules": rules})


def deletion_line(tweet_id: str, author_id: str, deleted_at: datetime) -> bytes:
    """Return the line by which X's compliance stream tells of a deletion."""
    tweet = {"id": tweet_id, "author_id": author_id}
    return msgspec.json.encode(
        {"data": {"delete": {"tweet": tweet, "event_at": _wire_time(deleted_at)}}}
    )


def _tweet(post: Post) -> dict[str, object]:
    data: dict[str, object] = {
        "id": post.id,
        "text": post.text,
        "author_id": post.author.id,
        "conversation_id": post.root_id,
        "created_at": _wire_time(post.posted_at),
        "edit_history_tweet_ids": list(post.history),
        "lang": post.language,
        "possibly_sensitive": False,
        "public_metrics": {"retweet_count": 0, "reply_count": 0, "like_count": 0, "quote_count": 0},
    }
    if len(post.text) > _SHORT_TEXT_CHARS:
        data["text"] = f"{post.text[: _SHORT_TEXT_CHARS - 1]}…"
        data["note_tweet"] = {"text": post.text}
    return data


def _wire_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
