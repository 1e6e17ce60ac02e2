"""X's two vocabularies, as the fake speaks them: names of fields, and ways of asking."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec


@dataclass(frozen=True)
class Words:
    """What a vocabulary calls the same things."""

    note: str
    references: str
    versions: str
    included: str
    reposts: str


TWEETS: Final = Words(
    "note_tweet", "referenced_tweets", "edit_history_tweet_ids", "tweets", "retweet_count"
)
POSTS: Final = Words(
    "note_post", "referenced_posts", "edit_history_post_ids", "posts", "repost_count"
)


@dataclass(frozen=True)
class Dialect:
    """How an endpoint is asked (the parameter and the expansion that it knows) and how it answers.

    What it does not know is passed over, as X does it, unless `refuses`.
    """

    words: Words
    parameter: str
    expansion: str
    refuses: bool = False

    @property
    def unknown_to_it(self) -> str:
        """The other parameter."""
        return "post.fields" if self.parameter == "tweet.fields" else "tweet.fields"


OLD: Final = Dialect(TWEETS, "tweet.fields", "referenced_tweets.id")
"""Every endpoint until 2026."""

NEW: Final = Dialect(POSTS, "post.fields", "referenced_posts")
"""Recent search and lookups now."""

STREAMED: Final = Dialect(POSTS, "tweet.fields", "referenced_posts")
"""Streams now: asked as of old, with the new expansions."""

Asked = Mapping[str, frozenset[str]]
"""The values of each parameter that takes a list."""

LISTS: Final = ("expansions", "tweet.fields", "post.fields", "user.fields")


def asked_in(address: str) -> Asked:
    """Return what a request asks for."""
    query = parse_qs(urlsplit(address).query)
    return {name: frozenset(",".join(query.get(name, [])).split(",")) for name in LISTS}


def refusal(asked: Asked, dialect: Dialect) -> dict[str, Any] | None:
    """Return the problem of an endpoint that refuses what it does not know."""
    name = dialect.unknown_to_it
    if not dialect.refuses or asked[name] <= {""}:
        return None
    known = "query,expansions," + dialect.parameter
    error = {
        "parameters": {name: sorted(asked[name])},
        "message": f"The query parameter [{name}] is not one of [{known}]",
    }
    return {
        "errors": [error],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.x.com/2/problems/invalid-request",
    }


def in_other_words(line: bytes) -> bytes:
    """Return a line in the vocabulary that it is not in."""
    renamed: dict[str, str] = {}
    for old, new in zip(_all(TWEETS), _all(POSTS), strict=True):
        renamed |= {old: new, new: old}
    return msgspec.json.encode(_renamed(msgspec.json.decode(line), renamed))


def in_both_words(line: bytes) -> bytes:
    """Return a line that names its versions in one vocabulary and everything else in the other."""
    renamed = {
        old: new
        for old, new in zip(_all(TWEETS), _all(POSTS), strict=True)
        if old != TWEETS.versions
    } | {POSTS.versions: TWEETS.versions}
    return msgspec.json.encode(_renamed(msgspec.json.decode(line), renamed))


def _all(words: Words) -> tuple[str, ...]:
    return words.note, words.references, words.versions, words.included, words.reposts


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(name, name): _renamed(inner, names) for name, inner in value.items()}
    return [_renamed(inner, names) for inner in value] if isinstance(value, list) else value
