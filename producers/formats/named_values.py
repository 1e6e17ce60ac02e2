"""A tweet given as values with names, whatever kind of table they stand in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import human_label, language, tweet_id, tweet_text, user_id
from producers.parsing.provenance import Origin
from producers.parsing.timestamps import parse_moment, time_of_post, utc
from schemas.codec import Reason
from schemas.events import MatchedRule, Reference, TweetPosted

COLUMNS: Final = ("id", "text", "label", "created_at", "lang", "author_id")
"""The columns that are read; every other name is a column that is passed over."""

_OTHER_TIME: Final = timedelta(minutes=1)


def tweet_of_values(
    row: Mapping[str, object],
    *,
    origin: Origin,
    received_at: datetime,
    line: int,
    place: int = 0,
    references: tuple[Reference, ...] = (),
    rules: tuple[MatchedRule, ...] = (),
) -> TweetPosted:
    """Return the tweet of a row, its values texts or what JSON has; may raise `Unparsable`.

    A value that is missing, null or blank is none; a row without an id gets one made.
    """
    said_id = _id_of(row, "id")
    own_id = origin.made_id(line, place) if said_id is None else tweet_id(said_id, "id")
    when = time_of_post(own_id, _moment_of(row), origin.run_started_at, received_at)
    return TweetPosted(
        run=origin.run,
        tweet_id=own_id,
        root_id=own_id,
        posted_at=when,
        received_at=received_at,
        text=tweet_text(_text_of(row, "text")),
        language=language((_text_of(row, "lang") or "").strip()),
        author_id=user_id(_id_of(row, "author_id"), "author_id"),
        references=references,
        rules=rules,
        label=human_label(_label_of(row)),
        source=origin.source,
    )


def overrules_time(tweet: TweetPosted, row: Mapping[str, object]) -> bool:
    """Tell whether the time of a row's tweet, which its id holds, is another than the row's.

    A minute is none: tables round times, and ids are made before what they name is stored.
    """
    said = _moment_of(row)
    return said is not None and abs(tweet.posted_at - said) >= _OTHER_TIME


def _id_of(row: Mapping[str, object], name: str) -> str | int | None:
    value = row.get(name)
    if isinstance(value, str):
        return value.strip() or None
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Unparsable(Reason.INVALID_EVENT, f"{name} is neither a text nor a whole number")


def _text_of(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value
    raise Unparsable(Reason.INVALID_EVENT, f"{name} is not a string")


def _label_of(row: Mapping[str, object]) -> str | None:
    """A data frame makes whole numbers with gaps fractions: `1.0` is the label 1."""
    value = row.get("label")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and abs(value) < 10**15:
        return str(int(value) if value == int(value) else value)
    return _text_of(row, "label")


def _moment_of(row: Mapping[str, object]) -> datetime | None:
    value = row.get("created_at")
    if isinstance(value, datetime):
        return utc(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return parse_moment(value, "created_at")
