"""Large pages of X's API v2, taken apart: each tweet with what it needs of what the page includes.

Parsed whole, a page takes several times its size.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from producers.archives.lines import KEPT_BYTES
from producers.archives.records import Record, Unreadable
from producers.x_api.v2_json_types import WireId
from schemas.codec import Reason

_MOST_OBJECTS: Final = 1_000_000
"""A page of 64 MiB has as many; of one that has more they could all be tweets of nothing."""

_MOST_TIMES: Final = 4
"""How many times its size a page may become: what it includes is repeated for each tweet that
refers to it."""

_LONGEST_BYTES: Final = 1024 * 1024
_NOTHING: Final = msgspec.Raw(b"null")


class _Named(msgspec.Struct, gc=False):
    id: WireId | None = None


class _Completing(msgspec.Struct, omit_defaults=True, gc=False):
    """What is read of a tweet or a user that completes others."""

    id: msgspec.Raw = _NOTHING
    text: msgspec.Raw = _NOTHING
    note_tweet: msgspec.Raw = _NOTHING
    note_post: msgspec.Raw = _NOTHING
    author_id: msgspec.Raw = _NOTHING
    username: msgspec.Raw = _NOTHING


class _Referring(msgspec.Struct, gc=False):
    author_id: WireId | None = None
    referenced_tweets: list[_Named] | None = None
    referenced_posts: list[_Named] | None = None

    @property
    def ids(self) -> list[WireId | None]:
        """The ids of the tweets that it repeats, quotes or answers, each once."""
        references = [*(self.referenced_tweets or ()), *(self.referenced_posts or ())]
        return list(dict.fromkeys(reference.id for reference in references))


class _Includes(msgspec.Struct, gc=False):
    tweets: list[msgspec.Raw] = []
    posts: list[msgspec.Raw] = []
    users: list[msgspec.Raw] = []


class _Page(msgspec.Struct, gc=False):
    data: list[msgspec.Raw]
    includes: _Includes = msgspec.field(default_factory=_Includes)


_page: Final = msgspec.json.Decoder(_Page)
_named: Final = msgspec.json.Decoder(_Named)
_completing: Final = msgspec.json.Decoder(_Completing)
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
    left_bytes = _MOST_TIMES * len(page.raw)
    tweets = _by_id([*found.includes.tweets, *found.includes.posts])
    users = _by_id(found.includes.users)
    for place, tweet in enumerate(found.data):
        referring = _referring_of(tweet)
        completing = _found(tweets, referring.ids)
        author = _found(users, [referring.author_id])
        left_bytes -= sum(map(len, completing)) + sum(map(len, author))
        if left_bytes < 0:
            detail = f"what the page includes is repeated to {_MOST_TIMES} times its size: split it"
            unreadable = Unreadable(Reason.TOO_LARGE, detail)
            yield Record(page.line, bytes(tweet)[:KEPT_BYTES], unreadable, page.place + place)
            continue
        includes = (
            b'{"tweets":[' + b",".join(completing) + b'],"users":[' + b",".join(author) + b"]}"
        )
        raw = b'{"data":' + bytes(tweet) + b',"includes":' + includes + b"}"
        yield Record(page.line, raw, place=page.place + place)


def _by_id(objects: list[msgspec.Raw]) -> dict[str, list[bytes]]:
    """One that is there twice, as a tweet and as a post, is kept twice: the fuller one is read.

    What is far too long for a tweet completes none.
    """
    found: dict[str, list[bytes]] = {}
    for each in objects:
        try:
            own_id = _named.decode(each).id
            needed = msgspec.json.encode(_completing.decode(each))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if own_id is not None and len(needed) <= _LONGEST_BYTES:
            found.setdefault(str(own_id), []).append(needed)
    return found


def _referring_of(tweet: msgspec.Raw) -> _Referring:
    try:
        return _referring.decode(tweet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Referring()


def _found(found: dict[str, list[bytes]], ids: Iterable[WireId | None]) -> list[bytes]:
    return [each for own_id in ids for each in found.get(str(own_id), ())]
