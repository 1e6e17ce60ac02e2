"""`GET /why`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from retrain.drift.why.compare_spans import Span, Why, compare_spans, span_before
from retrain.http_parameters import InvalidSpan, require_order, utc_time
from schemas.transport.postgres import Connection

_MOST: Final = 100
_Moment = Annotated[str | None, Query(max_length=50)]


def why_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(tags=["alarms"])

    @router.get(
        "/why",
        summary="What changed between two spans of a run, as `murmur why --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(Why),
    )
    def why(
        run: Annotated[str, Query(min_length=1, max_length=200)],
        start: Annotated[str, Query(alias="from", max_length=50)],
        end: Annotated[str, Query(alias="to", max_length=50)],
        rule: Annotated[str, Query(max_length=200)] = "",
        against_from: _Moment = None,
        against_to: _Moment = None,
        label: Annotated[str | None, Query(max_length=200)] = None,
        most: Annotated[int, Query(ge=1, le=_MOST)] = 10,
    ) -> Response:
        after = _span(start, end)
        if after is None:
            raise InvalidSpan("from and to are both needed")
        before = _span(against_from, against_to) or span_before(after)
        with lend() as connection, connection, connection.cursor() as cursor:
            found = compare_spans(
                cursor, run, rule, before=before, after=after, label=label, most=most
            )
        return json_answer(found)

    return router


def _span(start: str | None, end: str | None) -> Span | None:
    first, last = utc_time(start), utc_time(end)
    require_order(first, last)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise InvalidSpan("a span needs its beginning and its end")
    return Span(first, last)
