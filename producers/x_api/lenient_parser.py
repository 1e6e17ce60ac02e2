"""The long way of a document: bare tweets, compliance, odd dates, and saying what was wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from producers.parsing.provenance import Origin, Parsed, Refused
from producers.parsing.tweet_context import NO_CONTEXT, TweetContext
from producers.x_api.compliance import compliance_kind, parse_compliance
from producers.x_api.problems import is_problem
from producers.x_api.sound_tweets import sound_tweet
from producers.x_api.tweets import (
    Included,
    by_id,
    matched_rules,
    time_is_overruled,
    tweet_posted,
)
from producers.x_api.v2_json_types import (
    Attachments,
    IncludedTweet,
    WireId,
    WireRule,
    WireTweet,
    WireUser,
    context_of,
)
from schemas.codec import Reason
from schemas.events import MatchedRule

API_ERROR: Final = "api-error"
NO_DATA: Final = "no-data"

_TWEET_FIELDS: Final = frozenset(["id", "text", "note_tweet", "note_post"])


def parse_odd_document(raw: bytes, origin: Origin, received_at: datetime, line: int) -> Parsed:
    """Return what a document holds, each of its tweets judged alone; never raises."""
    try:
        return _parsed(raw, origin, received_at, line)
    except Unparsable as fault:
        return Parsed(refused=[Refused(fault.reason, fault.detail)])


def _parsed(raw: bytes, origin: Origin, received_at: datetime, line: int) -> Parsed:
    document = plain_json(raw)
    if not isinstance(document, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the document is not a JSON object")
    errors = document.get("errors")
    skipped = [API_ERROR] * len(errors) if isinstance(errors, list) else []
    beside = _Beside(document)
    if is_problem(document):
        return Parsed(skipped=skipped or [API_ERROR])
    data = document.get("data")
    if "data" not in document and not _TWEET_FIELDS.isdisjoint(document):
        document = {"data": document}
        data = document["data"]
    if data is None or data == []:
        if data is None and not skipped and "meta" not in document and "data" not in document:
            raise Unparsable(
                Reason.MISSING_FIELD, "the document has neither data nor a tweet's fields"
            )
        return Parsed(skipped=skipped or [NO_DATA])
    kind = compliance_kind(data)
    if kind is not None:
        return parse_compliance(kind, data[kind], origin, received_at)
    includes = document.get("includes")
    included = _included(includes)
    rules = _rules(document.get("matching_rules"))
    parsed = Parsed(skipped=skipped, context=beside)
    for place, tweet in enumerate(data if isinstance(data, list) else [data]):
        try:
            sound, dropped = _tweet(tweet)
            posted = tweet_posted(
                sound,
                included=included,
                rules=rules,
                origin=origin,
                received_at=received_at,
                line=line,
                place=place,
            )
            parsed.events.append(posted)
            parsed.overruled_times += time_is_overruled(sound, posted)
            parsed.dropped.extend(dropped)
        except Unparsable as fault:
            alone = _alone(tweet) if isinstance(data, list) else None
            parsed.refused.append(Refused(fault.reason, fault.detail, place, alone))
    return parsed


def _alone(tweet: object) -> bytes | None:
    try:
        return json.dumps(tweet).encode()
    except RecursionError:
        return None


def _tweet(plain: object) -> tuple[WireTweet, list[str]]:
    if not isinstance(plain, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the tweet is not a JSON object")
    return sound_tweet(plain, WireTweet)


def _included(includes: object) -> Included:
    """What completes others is used as far as it is sound, in either of X's vocabularies."""
    sound = []
    for name in ("tweets", "posts"):
        plain = includes.get(name) if isinstance(includes, Mapping) else None
        for tweet in plain if isinstance(plain, list) else []:
            try:
                sound.append(msgspec.convert(tweet, IncludedTweet))
            except msgspec.ValidationError:
                continue
    return by_id(sound)


def _rules(plain: object) -> tuple[MatchedRule, ...]:
    try:
        return matched_rules(msgspec.convert(plain, list[WireRule] | None))
    except msgspec.ValidationError as error:
        raise Unparsable(Reason.INVALID_EVENT, f"matching_rules: {error}") from None


class _MediaTweet(msgspec.Struct):
    id: WireId | None = None
    attachments: Attachments | None = None


class _Users(msgspec.Struct):
    users: list[WireUser] | None = None


class _Document(msgspec.Struct):
    data: _MediaTweet | list[_MediaTweet] | None = None
    includes: _Users | None = None


@dataclass(frozen=True)
class _Beside:
    """The context of a document that took the long way."""

    document: Mapping[str, object]

    def tweet_context(self) -> TweetContext:
        try:
            known = msgspec.convert(self.document, _Document)
        except msgspec.ValidationError:
            return NO_CONTEXT
        data = known.data or []
        return context_of(
            None if known.includes is None else known.includes.users,
            {tweet.id: tweet.attachments for tweet in (data if isinstance(data, list) else [data])},
        )
