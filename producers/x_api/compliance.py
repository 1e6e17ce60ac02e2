"""Lines of X's compliance streams to removals."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import tweet_id, user_id
from producers.parsing.provenance import Origin, Parsed
from producers.parsing.timestamps import parse_moment
from schemas.codec import Reason
from schemas.events import AuthorErased, Removal, TweetDeleted, TweetWithheld

_COUNTRY: Final = re.compile(r"[A-Za-z]{2,8}")
_KIND: Final = re.compile(r"[a-z_]{1,40}")


def compliance_kind(data: object) -> str | None:
    """Return the kind of a compliance event (`delete`, `scrub_geo`, …), None for other data.

    Such data has one field, named for the kind, and in it the time `event_at`.
    """
    if not isinstance(data, Mapping) or len(data) != 1:
        return None
    ((kind, event),) = data.items()
    known = isinstance(event, Mapping) and ("event_at" in event or kind in _REMOVALS)
    return kind if known and _KIND.fullmatch(kind) else None


def parse_compliance(
    kind: str, event: Mapping[str, object], origin: Origin, received_at: datetime
) -> Parsed:
    """Return the removal that a compliance event asks for, or that its kind was skipped.

    A removal is kept even where its time cannot be read. Raises `Unparsable` where it does not
    say what is removed.
    """
    if kind not in _REMOVALS:
        return Parsed(skipped=[kind])
    try:
        at = parse_moment(event.get("event_at"), "event_at")
    except Unparsable:
        at = None
    subject = event.get("user") if kind == "user_delete" else _removed_tweet(event)
    if not isinstance(subject, Mapping):
        raise Unparsable(Reason.MISSING_FIELD, f"{kind} does not say what is removed")
    removal = _removal(kind, subject, event, at, origin, received_at)
    return Parsed(events=[removal])


def _removed_tweet(event: Mapping[str, object]) -> object:
    """Return what a compliance event says of its tweet, in either of X's vocabularies."""
    named_id = event.get("tweet_id") or event.get("post_id")
    named = {"id": named_id, "author_id": event.get("author_id")} if named_id else None
    return event.get("tweet") or event.get("post") or named


_REMOVALS: Final = frozenset(["delete", "withheld", "user_delete"])


def _removal(
    kind: str,
    subject: Mapping[str, object],
    event: Mapping[str, object],
    at: datetime | None,
    origin: Origin,
    received_at: datetime,
) -> Removal:
    if kind == "user_delete":
        erased = user_id(_wire_id(subject, "id"), "user.id")
        if erased is None:
            raise Unparsable(Reason.MISSING_FIELD, "user.id")
        return AuthorErased(
            run=origin.run,
            author_id=erased,
            erased_at=at,
            received_at=received_at,
            source=origin.source,
        )
    if not subject.get("id"):
        raise Unparsable(Reason.MISSING_FIELD, "tweet.id")
    removed_id = tweet_id(_wire_id(subject, "id"), "tweet.id")
    author_id = user_id(_wire_id(subject, "author_id"), "tweet.author_id")
    if kind == "delete":
        return TweetDeleted(
            run=origin.run,
            tweet_id=removed_id,
            author_id=author_id,
            deleted_at=at,
            received_at=received_at,
            source=origin.source,
        )
    return TweetWithheld(
        run=origin.run,
        tweet_id=removed_id,
        author_id=author_id,
        withheld_at=at,
        countries=country_codes(event.get("withheld_in_countries")),
        received_at=received_at,
        source=origin.source,
    )


def country_codes(listed: object) -> tuple[str, ...]:
    """Return the countries of a list from outside, without what is no code."""
    codes = listed if isinstance(listed, list) else []
    return tuple(code for code in codes if isinstance(code, str) and _COUNTRY.fullmatch(code))


def _wire_id(subject: Mapping[str, object], name: str) -> str | int | None:
    value = subject.get(name)
    if value is None or isinstance(value, str | int):
        return value
    raise Unparsable(Reason.INVALID_EVENT, f"{name} is neither a string nor a number")
