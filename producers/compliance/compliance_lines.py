"""Lines of X's compliance streams to removals.

X's specification of 2026 still calls what is removed `tweet`; `post` is read as well, and so are
bare ids.
https://docs.x.com/x-api/compliance/streams/introduction
"""

from datetime import datetime
from typing import Final

import msgspec

from producers.parsing.faults import Unparsable
from producers.x_api.lenient_parser import API_ERROR
from producers.x_api.problems import problem_in
from producers.x_api.removals import Kind, removal
from schemas.codec import Reason
from schemas.events import Removal

_GONE: Final[dict[str, Kind]] = {
    "delete": "tweets",
    "drop": "tweets",
    "withheld": "tweets",
    "user_delete": "users",
    "user_protect": "users",
    "user_suspend": "users",
    "user_withheld": "users",
}
_COMES_BACK: Final = frozenset(
    ["undelete", "undrop", "user_undelete", "user_unprotect", "user_unsuspend", "user_unwithheld"]
)
_CHANGES: Final = frozenset(
    ["edit", "tweet_edit", "post_edit", "scrub_geo", "user_profile_modification"]
)
"""A new edit comes by the stream of posts; places and profiles are never stored."""


class _Subject(msgspec.Struct):
    id: str | int | None = None
    author_id: str | int | None = None


class _Event(msgspec.Struct):
    event_at: object = None
    tweet: _Subject | None = None
    post: _Subject | None = None
    user: _Subject | None = None
    tweet_id: str | int | None = None
    post_id: str | int | None = None
    user_id: str | int | None = None
    author_id: str | int | None = None
    withheld_in_countries: object = None


class _Line(msgspec.Struct):
    data: dict[str, _Event] | None = None


_decoder: Final = msgspec.json.Decoder(_Line)


def streamed_removal(raw: bytes, received_at: datetime) -> Removal | str:
    """Return what a line asks for, or the name of its kind where it asks for nothing here.

    Removals are those of a batch job (`results.removal`). Raises `Unparsable` for a line that
    cannot be read and for a kind that is not known: it may ask for something.
    """
    try:
        line = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Unparsable(Reason.INVALID_EVENT, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unparsable(Reason.NOT_JSON, type(error).__name__) from None
    if line.data is None and problem_in(raw) is not None:
        return API_ERROR
    if line.data is None or len(line.data) != 1:
        raise Unparsable(Reason.MISSING_FIELD, "the line has no data with exactly one event")
    ((name, event),) = line.data.items()
    if name in _COMES_BACK or name in _CHANGES:
        return name
    kind = _GONE.get(name)
    if kind is None:
        raise Unparsable(Reason.INVALID_EVENT, "unknown kind of event")
    if kind == "users":
        subject = event.user or _Subject(event.user_id)
    else:
        named = _Subject(event.tweet_id or event.post_id, event.author_id)
        subject = event.tweet or event.post or named
    return removal(
        kind,
        subject.id,
        name,
        event.event_at if isinstance(event.event_at, str) else None,
        received_at,
        author_id=subject.author_id,
        countries=event.withheld_in_countries,
    )
