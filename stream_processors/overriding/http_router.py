"""`GET /overrides`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from schemas.known_runs import default_run, require_run
from schemas.transport.postgres import Connection
from stream_processors.overriding.figures import OverrideFigures, override_figures


def overrides_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(tags=["figures"])

    @router.get(
        "/overrides",
        summary="A run's labels with word overrides and without",
        response_class=Response,
        openapi_extra=openapi_of_answer(OverrideFigures),
    )
    def overrides(
        run: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    ) -> Response:
        with lend() as connection:
            if run is None:
                run = default_run(connection)
            else:
                require_run(connection, run)
            with connection, connection.cursor() as cur:
                found = override_figures(cur, run)
        return json_answer(found)

    return router
