"""`GET /drift`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from retrain.drift.figures.drift_figures import DriftFigures
from retrain.drift.figures.read_figures import read_drift_figures
from schemas.known_runs import default_run, require_run
from schemas.transport.postgres import Connection

_MOST: Final = 24 * 31


def drift_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(tags=["alarms"])

    @router.get(
        "/drift",
        summary="What the watch sees, window by window, beside what it expects",
        response_class=Response,
        openapi_extra=openapi_of_answer(DriftFigures),
    )
    def drift(
        run: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        rule: Annotated[str, Query(max_length=200)] = "",
        windows: Annotated[int, Query(ge=1, le=_MOST)] = 168,
    ) -> Response:
        with lend() as connection:
            if run is None:
                run = default_run(connection)
            else:
                require_run(connection, run)
            with connection, connection.cursor() as cur:
                found = read_drift_figures(cur, run, rule, windows=windows)
        return json_answer(found)

    return router
