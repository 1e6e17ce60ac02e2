"""What X no longer shows, to removals; and the lines of a finished batch job."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import tweet_id, user_id
from producers.parsing.provenance import Parsed, Refused
from producers.parsing.timestamps import parse_moment
from producers.x_api.compliance import country_codes
from schemas.codec import Reason
from schemas.events import LIVE, AuthorErased, Removal, TweetDeleted, TweetWithheld

Kind = Literal["tweets", "users"]
"""What a job's ids are; X's own word for it."""

STAGE: Final = "compliance"
SOURCE: Final = "x-v2:compliance"
_HARMLESS: Final = frozenset(["scrub_geo"])
"""Places are never stored."""

_WITHHELD: Final = frozenset(["withheld", "withheld_in_countries"])


class _Line(msgspec.Struct):
    id: str | int | None = None
    reason: str | None = None
    redacted_at: str | None = None


_decoder: Final = msgspec.json.Decoder(_Line)


def removal_of(raw: bytes, kind: Kind, received_at: datetime) -> Removal | None:
    """Return what a line asks for, None where it asks for nothing here.

    Whatever the reason (deleted, deactivated, suspended, protected, one that is new): what X no
    longer shows has to go. A line concerns all runs, so its run is `live`. Raises `Unparsable`
    where it does not say what is removed.
    """
    try:
        line = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unparsable(Reason.NOT_JSON, type(error).__name__) from None
    if line.reason in _HARMLESS:
        return None
    return removal(kind, line.id, line.reason, line.redacted_at, received_at)


def parsed_removal(parse: Callable[[], Removal | str | None]) -> Parsed:
    """Return what `parse` finds in a line, what it refuses as `Unparsable` among it.

    Where a line asks for nothing, it returns a word for that, or None for `skipped`.
    """
    try:
        asked = parse()
    except Unparsable as fault:
        return Parsed(refused=[Refused(fault.reason, fault.detail)])
    if asked is None or isinstance(asked, str):
        return Parsed(skipped=[asked or "skipped"])
    return Parsed(events=[asked])


def removal(
    kind: Kind,
    subject_id: str | int | None,
    reason: str | None,
    at: str | None,
    received_at: datetime,
    *,
    author_id: str | int | None = None,
    countries: object = None,
) -> Removal:
    """Return what takes away a tweet or an account that X no longer shows, whatever the reason.

    It is kept even where its time cannot be read. Raises `Unparsable` where there is no id.
    """
    try:
        moment = parse_moment(at, "the time")
    except Unparsable:
        moment = None
    if subject_id is None:
        raise Unparsable(Reason.MISSING_FIELD, "id")
    if kind == "users":
        erased = user_id(subject_id, "id")
        if erased is None:
            raise Unparsable(Reason.MISSING_FIELD, "id")
        return AuthorErased(
            run=LIVE, author_id=erased, erased_at=moment, received_at=received_at, source=SOURCE
        )
    removed = tweet_id(subject_id, "id")
    author = user_id(author_id, "author_id")
    if reason in _WITHHELD:
        return TweetWithheld(
            run=LIVE,
            tweet_id=removed,
            author_id=author,
            withheld_at=moment,
            countries=country_codes(countries),
            received_at=received_at,
            source=SOURCE,
        )
    return TweetDeleted(
        run=LIVE,
        tweet_id=removed,
        author_id=author,
        deleted_at=moment,
        received_at=received_at,
        source=SOURCE,
    )
