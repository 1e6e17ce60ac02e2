"""The routers put together: how faults are told, what is refused before any router sees it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from deploy.web.access.admission import Admission
from deploy.web.access.browser import PAGE
from deploy.web.access.guard import Guard
from deploy.web.access.scopes import Public, scopes_of
from deploy.web.given_up import GivenUp
from deploy.web.known_parameters import only_known_parameters
from deploy.web.refusals import (
    RefusalPage,
    tell_failure,
    tell_fault,
    tell_http,
    tell_parameters,
    tell_refusal,
)
from deploy.web.short_way import NO_CALLS, Calls, ShortWay
from model_server.http.inference_router import PREFIX as INFERENCE_PREFIX
from model_server.http.problems import CONTENT_TYPE as PROBLEM_TYPE
from model_server.http.problems import Problem, Refused
from schemas.failures import Failure
from schemas.process.progress import Health

_TITLE: Final = "Murmur"


def make_app(
    routers: Sequence[APIRouter],
    *,
    refusal_page: RefusalPage,
    admission: Admission,
    at_end: Callable[[], Awaitable[None]],
    short_calls: Calls = NO_CALLS,
    registry: CollectorRegistry,
    health: Callable[[], Health],
    readiness: Callable[[], Health],
) -> ASGIApp:
    """Return the application, behind its guard; `at_end` is its last act.

    `short_calls` are those of the routers that are answered the short way. A parameter that a call
    of the routers does not know is refused.

    Every refusal is problem+json, but under /v2, where it has the form of that protocol, and on the
    page, where `refusal_page` tells it. A fault of ours is told as such, and logged without what
    was sent.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await at_end()

    app = FastAPI(
        title=_TITLE, version=version("murmur"), docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.refusal_page = refusal_page
    for router in routers:
        app.include_router(router, dependencies=[Depends(only_known_parameters)])
    app.include_router(_state_router(registry, health, readiness))
    app.add_exception_handler(Refused, tell_refusal)
    app.add_exception_handler(Failure, tell_failure)
    app.add_exception_handler(RequestValidationError, tell_parameters)
    app.add_exception_handler(HTTPException, tell_http)
    app.add_exception_handler(Exception, tell_fault)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    asked = GivenUp(ShortWay(app, short_calls))
    return Guard(asked, application=app, admission=admission)


def _state_router(
    registry: CollectorRegistry, health: Callable[[], Health], readiness: Callable[[], Health]
) -> APIRouter:
    router = APIRouter(tags=["state"])

    async def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def told(ask: Callable[[], Health]) -> Callable[[], Awaitable[Response]]:
        async def tell() -> Response:
            answer = ask()
            return Response(
                answer.detail + "\n",
                status_code=200 if answer.ok else 503,
                media_type="text/plain; charset=utf-8",
            )

        return tell

    async def root(request: Request) -> Response:
        """Say what this is, and where it is described; lead a browser to the page."""
        headers = {"Vary": "Accept"}
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(PAGE, status_code=307, headers=headers)
        document = {
            "name": _TITLE,
            "version": version("murmur"),
            "openapi": "/openapi.json",
            "page": PAGE,
        }
        return Response(
            msgspec.json.encode(document), media_type="application/json", headers=headers
        )

    for path, call, summary in (
        ("/", root, "What this is"),
        ("/metrics", metrics, "Metrics for Prometheus"),
        ("/health", told(health), "Whether the process lives and moves"),
        ("/healthz", told(health), "Whether the process lives and moves"),
        ("/readyz", told(readiness), "Whether it can take requests"),
    ):
        router.add_api_route(path, call, methods=["GET"], response_class=Response, summary=summary)
    return router


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the types that routes describe themselves, and refusals."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        (problem,), definitions = msgspec.json.schema_components(
            [Problem], ref_template="#/components/schemas/{name}"
        )
        schemas |= definitions
        # FastAPI tells of faults in a form of its own, which is not ours.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, calls in document["paths"].items():
            for call in calls.values():
                schemas |= call.pop("definitions", {})
                call["responses"].pop("422", None)
                call["responses"]["default"] = _refusal(path, problem)
                needed = scopes_of(path)
                if needed is not None and not isinstance(needed, Public):
                    names = " and ".join(f"`{scope}`" for scope in sorted(needed))
                    call["security"] = [{"key": []}]
                    call["description"] = f"Needs the scope {names}."
        app.openapi_schema = document
    return app.openapi_schema


def _refusal(path: str, problem: dict[str, Any]) -> dict[str, Any]:
    if path.startswith(INFERENCE_PREFIX):
        error = {"type": "object", "properties": {"error": {"type": "string"}}}
        return {"description": "A refusal", "content": {"application/json": {"schema": error}}}
    return {
        "description": "A refusal (RFC 9457)",
        "content": {PROBLEM_TYPE: {"schema": problem}},
    }
