"""`GET /data/quality`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from retrain.data_quality.measure import measure
from retrain.data_quality.schema import DataQuality
from retrain.http_parameters import require_order, utc_time
from schemas.transport.postgres import Connection


def data_quality_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(tags=["figures"])

    @router.get(
        "/data/quality",
        summary="What a run's tweets are like, as `murmur data-quality --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(DataQuality),
    )
    def data_quality(
        run: Annotated[str, Query(min_length=1, max_length=200)],
        start: Annotated[str | None, Query(alias="from", max_length=50)] = None,
        end: Annotated[str | None, Query(alias="to", max_length=50)] = None,
    ) -> Response:
        first, last = utc_time(start), utc_time(end)
        require_order(first, last)
        with lend() as connection, connection, connection.cursor() as cursor:
            found = measure(cursor, run, start=first, end=last)
        return json_answer(found)

    return router
