"""`GET /recent_predictions`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from model_server.http.problems import Refused
from model_server.prediction_log.log_store import (
    LoggedPrediction,
    PredictionChoice,
    find_predictions,
)
from model_server.prediction_log.page_cursor import cursor_of, place_of
from schemas.time_option import parse_moment
from schemas.transport.postgres import Connection

_Short = Annotated[str | None, Query(min_length=1, max_length=200)]


class RecentPredictions(Struct, frozen=True, kw_only=True):
    """Logged predictions, the last one first; `next` is the cursor of the next page."""

    predictions: list[LoggedPrediction]
    next: str | None


def predictions_router(
    lend: Callable[[], AbstractContextManager[Connection]], *, is_on: bool
) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(tags=["labels"])

    @router.get(
        "/recent_predictions",
        summary="What was answered lately, where predictions are logged",
        response_class=Response,
        openapi_extra=openapi_of_answer(RecentPredictions),
    )
    def recent(
        label: _Short = None,
        asked_by: _Short = None,
        least_confidence: Annotated[float | None, Query(ge=0, le=1)] = None,
        most_confidence: Annotated[float | None, Query(ge=0, le=1)] = None,
        start: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
        words: _Short = None,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        if not is_on:
            raise Refused(
                404,
                "not-logged",
                "Predictions are not logged.",
                "MURMUR_SERVE_LOG_DAYS says for how many days they are.",
            )
        choice = PredictionChoice(
            label=label,
            asked_by=asked_by,
            least_confidence=least_confidence,
            most_confidence=most_confidence,
            start=_moment(start),
            end=_moment(end),
            words=words,
            before=None if cursor is None else place_of(cursor),
            limit=limit,
        )
        with lend() as connection:
            found = find_predictions(connection, choice)
        more = len(found) == limit
        return json_answer(
            RecentPredictions(predictions=found, next=cursor_of(found[-1]) if more else None)
        )

    return router


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_moment(text, datetime.now(UTC))
