"""twarc's flattened lines: a tweet of X's API v2 a line, what it includes folded into it.

Source: `twarc2 flatten` (twarc 2, expansions.py): `author`, `referenced_tweets` with the fields of
the tweets that they name, `matching_rules` and `__twarc` stand in the tweet itself.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_documents import document_reader
from producers.formats.json_sniffing import first_objects
from producers.formats.known_fields import FIELDS_OF_TWARC
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from producers.parsing.provenance import Origin, Parsed
from producers.x_api.sound_tweets import sound_tweet
from producers.x_api.tweets import by_id, matched_rules, time_is_overruled, tweet_posted
from producers.x_api.v2_documents import HEARTBEAT
from producers.x_api.v2_json_types import (
    IncludedTweet,
    Note,
    WireId,
    WireReference,
    WireRule,
    WireTweet,
)
from schemas.codec import Reason
from schemas.events import TweetPosted


class _Author(msgspec.Struct, gc=False):
    id: WireId | None = None


class _FlatReference(WireReference):
    text: str | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    author_id: WireId | None = None
    author: _Author | None = None

    @property
    def whole(self) -> IncludedTweet:
        """The tweet that is referred to, as far as it is folded in."""
        author_id = self.author_id
        if author_id is None and self.author is not None:
            author_id = self.author.id
        return IncludedTweet(
            id=self.id,
            text=self.text,
            note_tweet=self.note_tweet,
            note_post=self.note_post,
            author_id=author_id,
        )


class _FlatTweet(WireTweet):
    author: _Author | None = None
    referenced_tweets: list[_FlatReference] | None = None  # type: ignore[assignment]
    referenced_posts: list[_FlatReference] | None = None  # type: ignore[assignment]
    matching_rules: list[WireRule] | None = None

    @property
    def folded(self) -> list[_FlatReference]:
        """The tweets that are folded in, in either of X's vocabularies."""
        return [*(self.referenced_tweets or ()), *(self.referenced_posts or ())]


_decoder: Final = msgspec.json.Decoder(_FlatTweet)


def parse_flat(raw: bytes, origin: Origin, received_at: datetime, line: int, place: int) -> Parsed:
    """Return the tweet of a document, a retweet with the whole text that it repeats."""
    try:
        tweet = _decoder.decode(raw)
        return _parsed(tweet, [], origin, received_at, line, place)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Unparsable):
        if not raw.strip():
            return Parsed(skipped=[HEARTBEAT])
        tweet, dropped = _odd_tweet(raw)
    return _parsed(tweet, dropped, origin, received_at, line, place)


def _parsed(
    tweet: _FlatTweet,
    dropped: list[str],
    origin: Origin,
    received_at: datetime,
    line: int,
    place: int,
) -> Parsed:
    posted = _event(tweet, origin, received_at, line, place)
    return Parsed([posted], overruled_times=time_is_overruled(tweet, posted), dropped=dropped)


def _event(
    tweet: _FlatTweet, origin: Origin, received_at: datetime, line: int, place: int
) -> TweetPosted:
    if tweet.id is None and tweet.full_text is None:
        raise Unparsable(Reason.MISSING_FIELD, "the tweet has neither an id nor a text")
    if tweet.author_id is None and tweet.author is not None:
        tweet.author_id = tweet.author.id
    return tweet_posted(
        tweet,
        included=by_id([reference.whole for reference in tweet.folded]),
        rules=matched_rules(tweet.matching_rules),
        origin=origin,
        received_at=received_at,
        line=line,
        place=place,
    )


def _odd_tweet(raw: bytes) -> tuple[_FlatTweet, list[str]]:
    plain = plain_json(raw)
    if not isinstance(plain, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the tweet is not a JSON object")
    return sound_tweet(plain, _FlatTweet)


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return any(
        ("__twarc" in line or isinstance(line.get("author"), dict)) and "data" not in line
        for line in first_objects(beginning)
    )


TWARC_FLAT: Final = ArchiveFormat(
    "twarc-flat",
    "twarc's flattened lines: a tweet a line, with what it includes",
    _recognises,
    lambda beginning, _options: document_reader(
        beginning, parse_flat, known_fields=FIELDS_OF_TWARC
    ),
)
