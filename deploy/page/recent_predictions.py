"""What was answered lately, where predictions are logged: with what people say of it."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from deploy.page.text_feedback import SaidOfText, said_of
from deploy.web.access.browser import PAGE
from model_server.http.caller import Caller
from model_server.http.problems import Refused
from model_server.prediction_log.log_store import (
    LoggedPrediction,
    PredictionChoice,
    find_predictions,
)
from model_server.prediction_log.page_cursor import cursor_of, place_of
from schemas.transport.postgres import Connection

_ON_A_PAGE: Final = 20
_SHOWN_CHARS: Final = 280
_MOST_CHARS: Final = 200


class RecentAnswer(NamedTuple):
    """An answer; `shown` is the beginning of a long text, and `said` what somebody says of it."""

    prediction: LoggedPrediction
    shown: str
    said: SaidOfText | None


class RecentView(NamedTuple):
    """Which predictions are shown: those of a label, behind a cursor; empty: all, the last ones."""

    label: str = ""
    cursor: str = ""

    def at(self, place: str = "recent", **changes: str) -> str:
        """Return the address of the page with this view, or a changed one, at a place of it."""
        view = self._replace(**changes)
        pairs = [(name, value) for name, value in view._asdict().items() if value]
        return f"{PAGE}/try" + (f"?{urlencode(pairs)}" if pairs else "") + f"#{place}"


def recent_view(label: str, cursor: str) -> RecentView:
    """Return the view of an address; raise `Refused` for what names none."""
    if len(label) > _MOST_CHARS or len(cursor) > _MOST_CHARS:
        raise Refused(422, "invalid", "A parameter is wrong.", "label or cursor is too long.")
    if cursor:
        place_of(cursor)
    return RecentView(label, cursor)


def recent_answers(connection: Connection, caller: Caller, view: RecentView) -> dict[str, Any]:
    """Return what the table shows, and where it goes on; None: there are no more."""
    choice = PredictionChoice(
        label=view.label or None,
        before=place_of(view.cursor) if view.cursor else None,
        limit=_ON_A_PAGE + 1,
    )
    found = find_predictions(connection, choice)
    shown, more = found[:_ON_A_PAGE], len(found) > _ON_A_PAGE
    return {
        "answers": _with_what_is_said(connection, caller, shown),
        "following": view.at(cursor=cursor_of(shown[-1])) if more else None,
        "first": view.at(cursor="") if view.cursor else None,
    }


def _with_what_is_said(
    connection: Connection, caller: Caller, predictions: Sequence[LoggedPrediction]
) -> list[RecentAnswer]:
    said = said_of(connection, caller, [each.text for each in predictions])
    return [RecentAnswer(each, _beginning(each.text), said.get(each.text)) for each in predictions]


def _beginning(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
