"""Lines of a finished batch job to removals."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from producers.border.faults import Unparsable
from producers.border.moments import parse_moment
from producers.border.values import tweet_id, user_id
from schemas.codec import Reason
from schemas.events import LIVE, AuthorErased, Removal, TweetDeleted, TweetWithheld

Kind = Literal["tweets", "users"]
"""What a job's ids are; X's own word for it."""

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
    try:
        at = parse_moment(line.redacted_at, "redacted_at")
    except Unparsable:
        at = None
    if kind == "users":
        erased = user_id(line.id, "id")
        if erased is None:
            raise Unparsable(Reason.MISSING_FIELD, "id")
        return AuthorErased(
            run=LIVE, author_id=erased, erased_at=at, received_at=received_at, source=SOURCE
        )
    if line.id is None:
        raise Unparsable(Reason.MISSING_FIELD, "id")
    removed = tweet_id(line.id, "id")
    if line.reason in _WITHHELD:
        return TweetWithheld(
            run=LIVE, tweet_id=removed, withheld_at=at, received_at=received_at, source=SOURCE
        )
    return TweetDeleted(
        run=LIVE, tweet_id=removed, deleted_at=at, received_at=received_at, source=SOURCE
    )
