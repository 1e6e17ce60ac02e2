"""`GET /models`."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from retrain.promotion.promotions import Promotion, promotions
from schemas.transport.postgres import Connection


class ModelsAnswer(Struct, frozen=True, kw_only=True):
    """Every promotion, the last one first."""

    promotions: list[Promotion]


def models_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(tags=["model"])

    @router.get(
        "/models",
        summary="Every promotion, as `murmur models list --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(ModelsAnswer),
    )
    def models() -> Response:
        with lend() as connection:
            return json_answer(ModelsAnswer(promotions=promotions(connection)))

    return router
