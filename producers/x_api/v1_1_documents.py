"""A document of X's API 1.1 to events: a tweet, or a control line of a stream.

Source of the control lines: "Streaming message types" of the API 1.1.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import is_nothing, tweet_id, user_id
from producers.parsing.json_values import plain_json
from producers.parsing.provenance import Origin, Parsed
from producers.parsing.timestamps import is_overruled, parse_moment
from producers.x_api.compliance import country_codes
from producers.x_api.sound_tweets import sound_tweet
from producers.x_api.v1_1_json_types import OldTweet
from producers.x_api.v1_1_tweets import old_tweet_posted
from producers.x_api.v2_documents import HEARTBEAT
from schemas.codec import Reason
from schemas.events import AuthorErased, TweetDeleted, TweetWithheld

CONTROLS: Final = frozenset(
    [
        "delete",
        "scrub_geo",
        "limit",
        "status_withheld",
        "user_withheld",
        "user_delete",
        "user_undelete",
        "user_protect",
        "user_unprotect",
        "user_suspend",
        "user_unsuspend",
        "user_update",
        "disconnect",
        "warning",
        "friends",
        "friends_str",
        "event",
        "for_user",
        "control",
    ]
)
TWEET_FIELDS: Final = frozenset(["id", "id_str", "text", "full_text", "extended_tweet"])

_decoder: Final = msgspec.json.Decoder(OldTweet)


def parse_old_document(
    raw: bytes, origin: Origin, received_at: datetime, line: int, place: int = 0
) -> Parsed:
    """Return what a document holds; raise `Unparsable`, and nothing else, where it is none."""
    try:
        tweet = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if not raw.strip():
            return Parsed(skipped=[HEARTBEAT])
        return _parse_odd(plain_json(raw), origin, received_at, line, place)
    if tweet.whole_text is None or tweet.tweet is not msgspec.UNSET:
        return _parse_odd(plain_json(raw), origin, received_at, line, place)
    try:
        return _parsed(tweet, [], origin, received_at, line, place)
    except Unparsable:
        return _parse_odd(plain_json(raw), origin, received_at, line, place)


def _parse_odd(
    document: Any, origin: Origin, received_at: datetime, line: int, place: int
) -> Parsed:
    if not isinstance(document, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the document is not a JSON object")
    wrapped = document.get("tweet")
    if isinstance(wrapped, Mapping) and TWEET_FIELDS.isdisjoint(document):
        document = wrapped
    kind = next((kind for kind in document if kind in CONTROLS), None)
    if kind is not None and TWEET_FIELDS.isdisjoint(document):
        return _control(kind, document[kind], origin, received_at)
    if TWEET_FIELDS.isdisjoint(document):
        raise Unparsable(Reason.MISSING_FIELD, "the document is neither a tweet nor a control line")
    return parse_old_tweet(document, origin, received_at, line, place)


def parse_old_tweet(
    plain: Mapping[str, Any], origin: Origin, received_at: datetime, line: int, place: int
) -> Parsed:
    """Return the tweet of a tweet object; raise `Unparsable` where it can never be an event."""
    bare = {name: value for name, value in plain.items() if name != "tweet"}
    tweet, dropped = sound_tweet(bare, OldTweet)
    return _parsed(tweet, dropped, origin, received_at, line, place)


def _parsed(
    tweet: OldTweet,
    dropped: list[str],
    origin: Origin,
    received_at: datetime,
    line: int,
    place: int,
) -> Parsed:
    posted = old_tweet_posted(tweet, origin=origin, received_at=received_at, line=line, place=place)
    overruled = False
    if tweet.created_at and not is_nothing(tweet.created_at):
        try:
            written = parse_moment(tweet.created_at, "created_at")
            overruled = is_overruled(written, posted.tweet_id)
        except Unparsable:
            dropped = [*dropped, "created_at"]
    return Parsed([posted], overruled_times=overruled, dropped=dropped)


def _control(kind: str, about: object, origin: Origin, received_at: datetime) -> Parsed:
    if kind not in {"delete", "status_withheld", "user_delete"}:
        return Parsed(skipped=[kind])
    subject = about.get("status", about) if isinstance(about, Mapping) else None
    if not isinstance(about, Mapping) or not isinstance(subject, Mapping):
        raise Unparsable(Reason.MISSING_FIELD, f"{kind} does not say what is removed")
    own_id = _id(subject, "id")
    if not own_id:
        raise Unparsable(Reason.MISSING_FIELD, f"{kind}: id")
    at = _said_at(about)
    if kind == "user_delete":
        return Parsed(
            [
                AuthorErased(
                    run=origin.run,
                    author_id=user_id(own_id, "id") or "",
                    erased_at=at,
                    received_at=received_at,
                    source=origin.source,
                )
            ]
        )
    removed_id = tweet_id(own_id, "id")
    author_id = user_id(_id(subject, "user_id"), "user_id")
    if kind == "delete":
        return Parsed(
            [
                TweetDeleted(
                    run=origin.run,
                    tweet_id=removed_id,
                    author_id=author_id,
                    deleted_at=at,
                    received_at=received_at,
                    source=origin.source,
                )
            ]
        )
    return Parsed(
        [
            TweetWithheld(
                run=origin.run,
                tweet_id=removed_id,
                author_id=author_id,
                withheld_at=at,
                countries=country_codes(about.get("withheld_in_countries")),
                received_at=received_at,
                source=origin.source,
            )
        ]
    )


def _id(subject: Mapping[str, object], name: str) -> str | int | None:
    value = subject.get(f"{name}_str") or subject.get(name)
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    raise Unparsable(Reason.INVALID_EVENT, f"{name} is neither a string nor a number")


def _said_at(about: Mapping[str, object]) -> datetime | None:
    """A removal is kept even where its time cannot be read."""
    try:
        return parse_moment(about.get("timestamp_ms"), "timestamp_ms")
    except Unparsable:
        return None
