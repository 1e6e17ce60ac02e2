"""Correcting a tweet's label: locked once it is given, until whoever gave it takes it back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.page.forms import read_form, whole_number
from deploy.page.page_sources import PageSources
from deploy.page.rendering import Pages
from deploy.web.access.browser import PAGE
from deploy.web.access.scopes import Scope
from model_server.http.caller import Caller, caller_of
from model_server.http.problems import Refused
from retrain.labels.correction import correctable
from retrain.labels.feedback.give_feedback import Labeller, correct_tweet
from retrain.labels.write_labels import LabelKey, delete_labels
from schemas.known_runs import require_run
from schemas.people_labels import LabelOrigin


def corrections_router(pages: Pages, sources: PageSources) -> APIRouter:
    """Return the routes. They wait for PostgreSQL, so each runs in a thread."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PAGE}/labels/correct")
    def correction(request: Request) -> Response:
        run, root_id = _named(request.query_params)
        with sources.lend() as connection:
            require_run(connection, run)
            with connection, connection.cursor() as cur:
                found = correctable(cur, run, root_id)
        caller = caller_of(request)
        return pages.answer(
            request,
            "correction.html",
            active="labels",
            run=run,
            found=found,
            person=caller.name,
            overrules=Scope.OPERATE in caller.scopes,
        )

    @router.post(f"{PAGE}/labels/correct")
    async def give(request: Request) -> Response:
        fields = await read_form(request)
        return await to_thread.run_sync(_correct, sources, caller_of(request), fields)

    return router


def _correct(sources: PageSources, caller: Caller, fields: Mapping[str, str]) -> Response:
    run, root_id = _named(fields)
    with sources.lend() as connection:
        require_run(connection, run)
        if fields.get("do") == "undo":
            version = whole_number(fields.get("version", ""))
            key = LabelKey(run, root_id, version, caller.name, LabelOrigin.CORRECTION)
            with connection, connection.cursor() as cur:
                delete_labels(cur, [key])
        else:
            with connection, connection.cursor() as cur:
                last = correctable(cur, run, root_id).correction
            label = fields.get("label", "")
            if last is not None and last.labeller == caller.name and last.label != label:
                raise Refused(
                    409, "locked", "You have labelled this.", "Take that back first: open it anew."
                )
            labeller = Labeller(name=caller.name, overrules=Scope.OPERATE in caller.scopes)
            correct_tweet(connection, labeller, run, root_id, label, datetime.now(UTC))
    where = urlencode({"run": run, "tweet": root_id})
    return RedirectResponse(f"{PAGE}/labels/correct?{where}", status_code=303)


def _named(fields: Mapping[str, str] | QueryParams) -> tuple[str, str]:
    run, root_id = fields.get("run", ""), fields.get("tweet", "")
    if not run or not root_id or len(run) > 200 or len(root_id) > 200:
        raise Refused(422, "invalid", "No tweet is named.", "Open it from the list of tweets.")
    return run, root_id
