"""Every refusal and fault as its caller understands it."""

import logging
import math
from collections.abc import Callable
from typing import Final

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from deploy.web.access.browser import is_page
from model_server.http.inference_router import PREFIX as INFERENCE_PREFIX
from model_server.http.problems import Refused, problem_response
from producers.x_account.client import XAsksToWait
from retrain.evaluation.service.stored_evaluations import EvaluationIsLive
from retrain.jobs.job_store import JobIsLive
from schemas.failures import Failure, NotThere
from schemas.settings import MissingSetting
from schemas.transport.postgres import PostgresUnavailable
from schemas.transport.postgres_pool import PostgresBusy

logger = logging.getLogger(__name__)

_AGAIN_AFTER_S: Final = "5"


RefusalPage = Callable[[Scope, Refused], Response]
"""A refused request to the page that tells it to a person."""


def refusal_response(scope: Scope, refused: Refused) -> Response:
    """Return problem+json, under /v2 the form of that protocol, and on the page a page."""
    path = scope["path"]
    if is_page(path):
        tell: RefusalPage = scope["app"].state.refusal_page
        return tell(scope, refused)
    if path.startswith(INFERENCE_PREFIX):
        return Response(
            msgspec.json.encode({"error": refused.problem.detail}),
            status_code=refused.problem.status,
            headers=refused.headers,
            media_type="application/json",
        )
    return problem_response(refused)


async def tell_refusal(request: Request, fault: Exception) -> Response:
    """Tell a refusal."""
    if not isinstance(fault, Refused):
        raise fault
    return refusal_response(request.scope, fault)


async def tell_failure(request: Request, fault: Exception) -> Response:
    """Tell what the commands would tell a person, but for where our servers are."""
    if not isinstance(fault, Failure):
        raise fault
    return refusal_response(request.scope, _refused(fault))


async def tell_parameters(request: Request, fault: Exception) -> Response:
    """Tell which parameter of a query is wrong, and how, without its value."""
    if not isinstance(fault, RequestValidationError):
        raise fault
    first = fault.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    refused = Refused(422, "invalid", "A parameter is wrong.", f"{name}: {first['msg']}.")
    return refusal_response(request.scope, refused)


async def tell_http(request: Request, fault: Exception) -> Response:
    """Tell that there is no such path or method."""
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
    return refusal_response(request.scope, refused)


async def tell_fault(request: Request, fault: Exception) -> Response:
    """Tell that it is a fault of ours; it is logged without what was sent."""
    # The fault's own message may hold a text.
    logger.error("a request failed: %s", type(fault).__name__, extra={"path": request.url.path})
    return refusal_response(
        request.scope,
        Refused(500, "fault", "This is a fault of the server.", "It is in the server's log."),
    )


def _live(failure: JobIsLive | EvaluationIsLive) -> Refused:
    if isinstance(failure, JobIsLive):
        return Refused(409, "job-live", "A training is not over.", "`/jobs` shows it.")
    return Refused(409, "evaluation-live", "An evaluation is not over.", "Wait for its end.")


def _later(failure: PostgresBusy | XAsksToWait) -> Refused:
    if isinstance(failure, PostgresBusy):
        again = {"Retry-After": _AGAIN_AFTER_S}
        return Refused(503, "busy", "The database has too much to do.", f"{failure}.", again)
    again = {"Retry-After": str(math.ceil(failure.wait_s))}
    return Refused(503, "x-waits", "X does not answer now.", f"{failure}.", again)


def _refused(failure: Failure) -> Refused:
    if isinstance(failure, NotThere):
        return Refused(404, "not-there", "There is no such thing.", f"{failure}.")
    if isinstance(failure, JobIsLive | EvaluationIsLive):
        return _live(failure)
    if isinstance(failure, PostgresBusy | XAsksToWait):
        return _later(failure)
    if isinstance(failure, MissingSetting) and "MURMUR_POSTGRES" not in str(failure):
        return Refused(503, "no-setting", "The service lacks a setting.", f"{failure}.")
    if isinstance(failure, PostgresUnavailable | MissingSetting):
        # Its own message names hosts and users.
        logger.warning("figures cannot be read: %s", failure)
        return Refused(
            503,
            "no-database",
            "Figures cannot be read now.",
            "PostgreSQL does not answer the service.",
            {"Retry-After": _AGAIN_AFTER_S},
        )
    return Refused(422, "invalid", "This cannot be answered.", f"{failure}.")
