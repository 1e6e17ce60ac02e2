"""Alarms of a run, and who has seen them: said on the page, and taken back."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.page.forms import read_form
from deploy.page.page_sources import PageSources
from deploy.page.rendering import Pages
from deploy.page.view_address import ViewAddress, view_of
from deploy.web.access.browser import PAGE
from deploy.web.access.scopes import Scope
from model_server.http.caller import Caller, caller_of
from model_server.http.problems import Refused
from retrain.drift.alarms.sentences import sentence
from retrain.drift.alarms.stored_alarms import (
    AlarmSelection,
    StoredAlarm,
    acknowledge,
    find_alarms,
    take_back,
)
from schemas.known_runs import UnknownRun, require_run

_MOST: Final = 100
_MOST_CHARS: Final = 200
_PATH: Final = f"{PAGE}/alarms"


def alarms_router(pages: Pages, sources: PageSources) -> APIRouter:
    """Return the routes. They wait for PostgreSQL, so each runs in a thread."""
    router = APIRouter(include_in_schema=False)

    @router.get(_PATH)
    def alarms(request: Request) -> Response:
        asked = view_of(request.query_params)
        try:
            run = sources.run_of(asked)
        except UnknownRun as unknown:
            return pages.answer(request, "no_runs.html", active="alarms", reason=str(unknown))
        open_only = request.query_params.get("open") == "on"
        with sources.lend() as connection:
            require_run(connection, run)
            with connection, connection.cursor() as cur:
                total, found = find_alarms(cur, AlarmSelection(run=run, open=open_only), _MOST)
        caller = caller_of(request)
        return pages.answer(
            request,
            "alarms.html",
            active="alarms",
            view=ViewAddress(run=run),
            runs=sources.runs(),
            open_only=open_only,
            total=total,
            alarms=found,
            sentence=sentence,
            may_take_back=lambda alarm: _may_take_back(caller, alarm),
        )

    @router.post(f"{_PATH}/seen")
    async def seen(request: Request) -> Response:
        fields = await read_form(request)
        return await to_thread.run_sync(_seen, caller_of(request), fields)

    def _seen(caller: Caller, fields: Mapping[str, str]) -> Response:
        alarm_id, run = fields.get("alarm", ""), fields.get("run", "")
        if not alarm_id or max(map(len, (alarm_id, run))) > _MOST_CHARS:
            raise Refused(422, "invalid", "No alarm is named.", "Open the list of alarms anew.")
        with sources.lend() as connection, connection, connection.cursor() as cur:
            if fields.get("do") == "undo":
                by = None if Scope.OPERATE in caller.scopes else caller.name
                take_back(cur, alarm_id, by=by)
            else:
                note = fields.get("note", "").strip()[:_MOST_CHARS]
                acknowledge(cur, alarm_id, by=caller.name, note=note)
        sources.shared.forget(("model alarms", run))
        pairs = {"run": run, **({"open": "on"} if fields.get("open") == "on" else {})}
        return RedirectResponse(f"{_PATH}?{urlencode(pairs)}#a-{alarm_id}", status_code=303)

    return router


def _may_take_back(caller: Caller, alarm: StoredAlarm) -> bool:
    return Scope.LABEL in caller.scopes and (
        alarm.acknowledged_by == caller.name or Scope.OPERATE in caller.scopes
    )
