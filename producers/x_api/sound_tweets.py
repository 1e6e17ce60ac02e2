"""Tweets of which some field makes no sense: they go without it, where they can.

A tweet needs its id, its text and a time, which its id may hold. What else is unreadable is left
out and named, and costs nothing more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import is_nothing, tweet_id, user_id, whole_number
from producers.parsing.timestamps import parse_moment
from schemas.codec import Reason
from schemas.tweet_time import snowflake_time

T = TypeVar("T", bound=msgspec.Struct)

_NEEDED: Final = frozenset(["id", "id_str", "text", "full_text", "extended_tweet"])
_DATE: Final = "created_at"
_EDIT_HISTORIES: Final = frozenset(["edit_history_tweet_ids", "edit_history_post_ids"])


def sound_tweet(plain: Mapping[str, Any], into: type[T]) -> tuple[T, list[str]]:
    """Return a tweet object without the fields that make no sense, and their names.

    Raises `Unparsable` where it has no sound id and text, or needs a date that is none.
    """
    kept = {name: whole_number(value) for name, value in plain.items()}
    dropped = []
    for known in msgspec.structs.fields(into):
        name = known.encode_name
        if kept.get(name) is None:
            continue
        if name == "id" and isinstance(kept.get("id_str"), str) and not isinstance(kept[name], int):
            kept[name] = None  # the id that is a text is the one that counts
        if name in _NEEDED:
            continue
        try:
            kept[name] = _sound(name, kept[name], known.type, kept)
        except (msgspec.ValidationError, Unparsable, RecursionError) as fault:
            if name == _DATE and _is_needed(kept, kept[name]):
                raise _as_unparsable(fault) from None
            if not is_nothing(kept[name]):
                dropped.append(name)
            kept[name] = None
    try:
        return msgspec.convert(kept, into), dropped
    except (msgspec.ValidationError, RecursionError) as error:
        raise Unparsable(Reason.INVALID_EVENT, str(error)) from None


def _sound(name: str, value: Any, kind: Any, tweet: Mapping[str, Any]) -> Any:
    if name == _DATE:
        if kind == datetime | None:
            return parse_moment(value, _DATE)
        # Where the id holds the time, the date of API 1.1 is not read at all.
        return value if isinstance(value, str | int) or not _has_time(tweet) else None
    if name in _EDIT_HISTORIES:
        return msgspec.convert(value, kind) and value
    check = _CHECKS.get(name)
    if isinstance(value, list):
        return [each for each in value if _is_sound_entry(each, kind)]
    msgspec.convert(value, kind)
    if check is not None:
        check(value, name)
    elif isinstance(value, Mapping):
        _check_ids(value)
    return value


def _is_sound_entry(entry: Any, kind: Any) -> bool:
    try:
        msgspec.convert([entry], kind)
        if isinstance(entry, Mapping) and "type" in entry:
            tweet_id(entry.get("id"), "id")
    except (msgspec.ValidationError, Unparsable, RecursionError):
        return False
    return True


def _check_ids(about: Mapping[str, Any]) -> None:
    """A user, or a tweet within this one: its ids, and those of its own user, are ids."""
    check = tweet_id if "text" in about or "full_text" in about else user_id
    for name in ("id_str", "id"):
        if about.get(name):
            check(about[name], name)
    user = about.get("user")
    if isinstance(user, Mapping):
        _check_ids(user)


def _is_needed(tweet: Mapping[str, Any], written: Any) -> bool:
    """A date is needed where the id holds no time; what is no date at all is damage."""
    if not _has_time(tweet):
        return True
    if not isinstance(written, str) or is_nothing(written):
        return False
    return not any(map(str.isdigit, written))


def _has_time(tweet: Mapping[str, Any]) -> bool:
    own_id = tweet.get("id_str") or tweet.get("id")
    return isinstance(own_id, str | int) and snowflake_time(str(own_id)) is not None


def _as_unparsable(fault: Exception) -> Unparsable:
    if isinstance(fault, Unparsable):
        return fault
    return Unparsable(Reason.INVALID_EVENT, f"{_DATE} is not a valid date")


_CHECKS: Final[dict[str, Callable[[Any, str], object]]] = {
    "author_id": user_id,
    "conversation_id": tweet_id,
    "quoted_status_id": tweet_id,
    "quoted_status_id_str": tweet_id,
    "in_reply_to_status_id": tweet_id,
    "in_reply_to_status_id_str": tweet_id,
    "in_reply_to_user_id": user_id,
    "in_reply_to_user_id_str": user_id,
}
