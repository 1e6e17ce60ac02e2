"""`GET /model/info`: which model answers, and which one is to take over."""

from collections.abc import Callable

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from model_server.http.inference_router import ServedModel
from model_server.http.json_answers import json_answer, openapi_of_answer
from model_server.model_slot import SlotState
from schemas.events import ModelIdentity


class ModelInfo(Struct, frozen=True, kw_only=True):
    """The model that answers, and the labels that it may give.

    `waiting` is the promoted model that does not answer yet, `fault` why not; usually there is
    neither.
    """

    model: ModelIdentity
    labels: list[str]
    waiting: str | None
    fault: str


def model_router(state: Callable[[], SlotState], serving: Callable[[], ServedModel]) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["model"])

    @router.get(
        "/model/info",
        summary="The model that answers",
        response_class=Response,
        openapi_extra=openapi_of_answer(ModelInfo),
    )
    async def info() -> Response:
        served, now = serving(), state()
        return json_answer(
            ModelInfo(
                model=served.identity,
                labels=list(served.labels),
                waiting=None if now.wanted is None else now.wanted.sha256,
                fault=now.fault,
            )
        )

    return router
