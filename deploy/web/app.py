"""The routers put together: how faults are told, what is refused before any router sees it."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Any, Final

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response

from model_server.http.inference_router import PREFIX as INFERENCE_PREFIX
from model_server.http.problems import Refused, problem_response
from schemas.process.progress import Health

logger = logging.getLogger(__name__)

_TITLE: Final = "Murmur"


def make_app(
    routers: Sequence[APIRouter],
    *,
    hosts: Sequence[str],
    registry: CollectorRegistry,
    health: Callable[[], Health],
    readiness: Callable[[], Health],
) -> FastAPI:
    """Return the application. `hosts` are the names in `Host` that it answers to.

    Every refusal is problem+json, but under /v2, where it has the form of that protocol. A fault of
    ours is told as such, and logged without what was sent.
    """
    app = FastAPI(title=_TITLE, version=version("murmur"), docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router)
    app.include_router(_state_router(registry, health, readiness))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_exception_handler(Refused, _tell_refusal)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(Exception, _tell_fault)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


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

    async def root() -> Response:
        """Say what this is, and where it is described."""
        document = {"name": _TITLE, "version": version("murmur"), "openapi": "/openapi.json"}
        return Response(msgspec.json.encode(document), media_type="application/json")

    for path, call, summary in (
        ("/", root, "What this is"),
        ("/metrics", metrics, "Metrics for Prometheus"),
        ("/health", told(health), "Whether the process lives and moves"),
        ("/healthz", told(health), "Whether the process lives and moves"),
        ("/readyz", told(readiness), "Whether it can take requests"),
    ):
        router.add_api_route(path, call, methods=["GET"], response_class=Response, summary=summary)
    return router


async def _tell_refusal(request: Request, fault: Exception) -> Response:
    if not isinstance(fault, Refused):
        raise fault
    if request.url.path.startswith(INFERENCE_PREFIX):
        return Response(
            msgspec.json.encode({"error": fault.problem.detail}),
            status_code=fault.problem.status,
            headers=fault.headers,
            media_type="application/json",
        )
    return problem_response(fault)


async def _tell_http(request: Request, fault: Exception) -> Response:
    if not isinstance(fault, HTTPException):
        raise fault
    kind = {404: "not-found", 405: "wrong-method"}.get(fault.status_code, "refused")
    refused = Refused(
        fault.status_code,
        kind,
        f"{fault.detail}.",
        "/openapi.json names every call.",
        fault.headers,
    )
    return await _tell_refusal(request, refused)


async def _tell_fault(request: Request, fault: Exception) -> Response:
    # The fault's own message may hold a text.
    logger.error("a request failed: %s", type(fault).__name__, extra={"path": request.url.path})
    return await _tell_refusal(
        request,
        Refused(500, "fault", "This is a fault of the server.", "It is in the server's log."),
    )


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the types that routes describe themselves."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for calls in document["paths"].values():
            for call in calls.values():
                schemas |= call.pop("definitions", {})
        app.openapi_schema = document
    return app.openapi_schema
