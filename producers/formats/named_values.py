"""A tweet given as values with names, whatever kind of table they stand in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import (
    human_label,
    is_nothing,
    language,
    tweet_id,
    tweet_text,
    unmarked_id,
    user_id,
    whole_number,
)
from producers.parsing.provenance import Origin
from producers.parsing.timestamps import is_overruled, parse_moment, time_of_post, utc
from producers.parsing.written_dates import DayOrder
from schemas.codec import Reason
from schemas.events import MatchedRule, Reference, TweetPosted
from schemas.tweet_time import snowflake_time

COLUMNS: Final = ("id", "text", "label", "created_at", "lang", "author_id")
"""The columns that are read; every other name is a column that is passed over."""


class ReadValues(NamedTuple):
    """The tweet of a row. `dropped` names the values that it goes without, since they are unsound.

    `time_is_overruled` where its id holds another time than the row says (`is_overruled`).
    """

    tweet: TweetPosted
    dropped: tuple[str, ...]
    time_is_overruled: bool


def tweet_of_values(
    row: Mapping[str, object],
    *,
    origin: Origin,
    received_at: datetime,
    line: int,
    place: int = 0,
) -> TweetPosted:
    """Return the tweet of a row (`read_values`)."""
    return read_values(row, origin=origin, received_at=received_at, line=line, place=place).tweet


def read_values(
    row: Mapping[str, object],
    *,
    origin: Origin,
    received_at: datetime,
    line: int,
    place: int = 0,
    references: tuple[Reference, ...] = (),
    rules: tuple[MatchedRule, ...] = (),
    day_order: DayOrder | None = None,
) -> ReadValues:
    """Return the tweet of a row, its values texts or what JSON has; may raise `Unparsable`.

    A value that is missing, null, blank or NaN is none; a row without an id gets one made. A tweet
    needs its text, a sound id where it has one, and a date where its id holds no time: what else
    is unsound is left out.
    """
    dropped: list[str] = []
    said_id = _id_of(row, "id")
    own_id = origin.made_id(line, place) if said_id is None else tweet_id(said_id, "id")
    written = None
    try:
        written = _moment_of(row, day_order)
    except Unparsable:
        if snowflake_time(own_id) is None:
            raise
        dropped.append("created_at")
    when = time_of_post(own_id, written, origin.run_started_at, received_at)
    try:
        author_id = user_id(_id_of(row, "author_id"), "author_id")
    except Unparsable:
        author_id = None
        dropped.append("author_id")
    try:
        label = human_label(_label_of(row))
    except Unparsable:
        label = None
        dropped.append("label")
    code = row.get("lang")
    if not isinstance(code, str) and not is_nothing(code):
        dropped.append("lang")
    tweet = TweetPosted(
        run=origin.run,
        tweet_id=own_id,
        root_id=own_id,
        posted_at=when,
        received_at=received_at,
        text=tweet_text(_text_of(row, "text")),
        language=language(code.strip()) if isinstance(code, str) else None,
        author_id=author_id,
        references=references,
        rules=rules,
        label=label,
        source=origin.source,
    )
    return ReadValues(tweet, tuple(dropped), is_overruled(written, own_id))


def _id_of(row: Mapping[str, object], name: str) -> str | int | None:
    value = row.get(name)
    if is_nothing(value):
        return None
    if name != "id":
        value = whole_number(value)
    if isinstance(value, str):
        return unmarked_id(value.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Unparsable(Reason.INVALID_EVENT, f"{name} is neither a text nor a whole number")


def _text_of(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if isinstance(value, str):
        return value
    if is_nothing(value):
        return None
    raise Unparsable(Reason.INVALID_EVENT, f"{name} is not a string")


def _label_of(row: Mapping[str, object]) -> str | None:
    """A data frame makes whole numbers with gaps fractions: `1.0` is the label 1."""
    value = row.get("label")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and abs(value) < 10**15:
        return str(int(value) if value == int(value) else value)
    return _text_of(row, "label")


def _moment_of(row: Mapping[str, object], day_order: DayOrder | None) -> datetime | None:
    value = row.get("created_at")
    if isinstance(value, datetime):
        return utc(value)
    if is_nothing(value):
        return None
    return parse_moment(value, "created_at", day_order)
