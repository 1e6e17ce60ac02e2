"""`GET /alarms`, `/alarms/{id}`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query
from msgspec import Struct
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from retrain.drift.alarms.sentences import sentence
from retrain.drift.alarms.stored_alarms import (
    AlarmSelection,
    StoredAlarm,
    find_alarm,
    find_alarms,
)
from retrain.drift.alarms.why_alarm import why_alarm
from retrain.drift.not_judged import NotJudged, runs_not_judged
from retrain.drift.why.compare_spans import Why
from schemas.alarm_events import AlarmKind
from schemas.failures import Failure
from schemas.transport.postgres import Connection

_MOST: Final = 200


class ToldAlarm(StoredAlarm, frozen=True, kw_only=True):
    """An alarm with the sentence that tells it."""

    sentence: str


class AlarmsAnswer(Struct, frozen=True, kw_only=True):
    """How many there are of the selection, and the first of them: open ones, then the newest.

    `not_judged` has the run, or the runs that the watch counted last, of whose windows of the last
    30 days some had too few tweets for any alarm.
    """

    total: int
    alarms: list[ToldAlarm]
    not_judged: list[NotJudged]


class AlarmAnswer(ToldAlarm, frozen=True, kw_only=True):
    """An alarm with what changed, or the reason why that cannot be said."""

    why: Why | None
    why_fault: str | None


def alarms_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the routes. They wait for PostgreSQL, so each runs in a thread."""
    router = APIRouter(tags=["alarms"])

    @router.get(
        "/alarms",
        summary="What the watch found, as `murmur alarms list --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(AlarmsAnswer),
    )
    def alarms(
        run: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        rule: Annotated[
            str | None, Query(max_length=200, description="Empty: those of all tweets.")
        ] = None,
        kind: AlarmKind | None = None,
        only_open: Annotated[bool, Query(alias="open")] = False,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
    ) -> Response:
        selection = AlarmSelection(run=run, rule=rule, kind=kind, open=only_open)
        with lend() as connection, connection, connection.cursor() as cursor:
            total, found = find_alarms(cursor, selection, limit)
            not_judged = runs_not_judged(cursor, run, rule)
        told = [_told(alarm) for alarm in found]
        return json_answer({"total": total, "alarms": told, "not_judged": not_judged})

    @router.get(
        "/alarms/{alarm_id}",
        summary="An alarm and what changed, as `murmur alarms show --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(AlarmAnswer),
    )
    def alarm(alarm_id: Annotated[str, Path(max_length=100)]) -> Response:
        why, fault = None, None
        with lend() as connection:
            with connection, connection.cursor() as cursor:
                found = find_alarm(cursor, alarm_id)
            try:
                with connection, connection.cursor() as cursor:
                    why = why_alarm(cursor, found)
            except Failure as failure:
                # The tweets may be pruned by now, and the alarm stays worth showing.
                fault = str(failure)
        return json_answer({**_told(found), "why": why, "why_fault": fault})

    return router


def _told(alarm: StoredAlarm) -> dict[str, Any]:
    return {"sentence": sentence(alarm), **msgspec.to_builtins(alarm)}
