"""Large pages of X's API v2, taken apart: each tweet with what it needs of what the page includes.

Parsed whole, a page takes several times its size.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from producers.archives.records import Record, Unreadable
from producers.x_api.wire import WireId
from schemas.codec import Reason

_MOST_OBJECTS: Final = 1_000_000
"""A page of 64 MiB has as many; of one that has more they could all be tweets of nothing."""


class _Named(msgspec.Struct, gc=False):
    id: WireId | None = None


class _Referring(msgspec.Struct, gc=False):
    referenced_tweets: list[_Named] | None = None
    referenced_posts: list[_Named] | None = None


class _Includes(msgspec.Struct, gc=False):
    tweets: list[msgspec.Raw] = []
    posts: list[msgspec.Raw] = []


class _Page(msgspec.Struct, gc=False):
    data: list[msgspec.Raw]
    includes: _Includes = msgspec.field(default_factory=_Includes)


_page: Final = msgspec.json.Decoder(_Page)
_named: Final = msgspec.json.Decoder(_Named)
_referring: Final = msgspec.json.Decoder(_Referring)


def tweets_of_page(page: Record) -> Iterator[Record]:
    """Yield the tweets of a page as documents of their own, in its order; `place` counts them.

    What is no page of tweets is returned as it is. A page of more than a million objects is
    unreadable: they would fill the memory.
    """
    if page.raw.count(b"{") > _MOST_OBJECTS:
        detail = f"the page holds more than {_MOST_OBJECTS:,} objects: split it"
        yield page._replace(raw=b"", unreadable=Unreadable(Reason.TOO_LARGE, detail))
        return
    try:
        found = _page.decode(page.raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield page
        return
    included = dict(_by_id([*found.includes.tweets, *found.includes.posts]))
    for place, tweet in enumerate(found.data):
        needed = b",".join(_needed(tweet, included))
        raw = b'{"data":' + bytes(tweet) + b',"includes":{"tweets":[' + needed + b"]}}"
        yield Record(page.line, raw, place=page.place + place)


def _by_id(tweets: list[msgspec.Raw]) -> Iterator[tuple[str, msgspec.Raw]]:
    for tweet in tweets:
        try:
            own_id = _named.decode(tweet).id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if own_id is not None:
            yield str(own_id), tweet


def _needed(tweet: msgspec.Raw, included: dict[str, msgspec.Raw]) -> Iterator[bytes]:
    try:
        referring = _referring.decode(tweet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    for reference in [*(referring.referenced_tweets or ()), *(referring.referenced_posts or ())]:
        found = included.get(str(reference.id))
        if found is not None:
            yield bytes(found)
