"""The long way of a document: bare tweets, compliance, odd dates, and saying what was wrong."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from producers.parsing.provenance import Origin, Parsed, Refused
from producers.x_api.compliance import compliance_kind, parse_compliance
from producers.x_api.sound_tweets import sound_tweet
from producers.x_api.tweets import Included, by_id, matched_rules, tweet_posted
from producers.x_api.wire import IncludedTweet, WireRule, WireTweet
from schemas.codec import Reason
from schemas.events import MatchedRule

API_ERROR: Final = "api-error"
NO_DATA: Final = "no-data"

_TWEET_FIELDS: Final = frozenset(["id", "text", "note_tweet"])


def parse_odd_document(raw: bytes, origin: Origin, received_at: datetime, line: int) -> Parsed:
    """Return what a document holds, each of its tweets judged alone; may raise `Unparsable`."""
    document = plain_json(raw)
    if not isinstance(document, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the document is no JSON object")
    errors = document.get("errors")
    skipped = [API_ERROR] * len(errors) if isinstance(errors, list) else []
    data = document.get("data")
    if "data" not in document and not _TWEET_FIELDS.isdisjoint(document):
        document = {"data": document}
        data = document["data"]
    if data is None or data == []:
        if data is None and not skipped and "meta" not in document and "data" not in document:
            raise Unparsable(Reason.MISSING_FIELD, "neither data nor a tweet's fields")
        return Parsed(skipped=skipped or [NO_DATA])
    kind = compliance_kind(data)
    if kind is not None:
        return parse_compliance(kind, data[kind], origin, received_at)
    includes = document.get("includes")
    included = _included(includes.get("tweets") if isinstance(includes, Mapping) else None)
    rules = _rules(document.get("matching_rules"))
    parsed = Parsed(skipped=skipped)
    for place, tweet in enumerate(data if isinstance(data, list) else [data]):
        try:
            sound, dropped = _tweet(tweet)
            parsed.events.append(
                tweet_posted(
                    sound,
                    included=included,
                    rules=rules,
                    origin=origin,
                    received_at=received_at,
                    line=line,
                    place=place,
                )
            )
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
        raise Unparsable(Reason.INVALID_EVENT, "the tweet is no JSON object")
    return sound_tweet(plain, WireTweet)


def _included(plain: object) -> Included:
    """What completes others is used as far as it is sound."""
    sound = []
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
