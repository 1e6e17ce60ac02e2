"""`GET /jobs`, `/jobs/{number}`, `POST /retrain`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Final

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Path
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from model_server.http.request_body import decode_body, openapi_of, read_body
from retrain.jobs.check import Checked, check_retraining
from retrain.jobs.job_store import Job, StageOutput, find_job, jobs, stage_outputs
from schemas.setting_views import RetrainingSettings
from schemas.transport.postgres import Connection

_LAST_NUMBER: Final = 2**31 - 1


class JobsAnswer(Struct, frozen=True, kw_only=True):
    """The last jobs, the newest first."""

    jobs: list[Job]


class JobAnswer(Struct, frozen=True, kw_only=True):
    """A job with what its stages gave."""

    job: Job
    stages: dict[str, StageOutput]


class RetrainRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`force` asks for no reason and waits for no cooldown; labels are needed all the same."""

    force: bool = False


_retrain_decoder: Final = msgspec.json.Decoder(RetrainRequest)


def retrain_router(
    lend: Callable[[], AbstractContextManager[Connection]], settings: RetrainingSettings
) -> APIRouter:
    """Return the route that has the policy decide now, as `murmur retrain check` does."""
    router = APIRouter(tags=["model"])

    @router.post(
        "/retrain",
        summary="Decide whether a training is due, and create its job",
        response_class=Response,
        openapi_extra=openapi_of(RetrainRequest, Checked),
    )
    async def retrain(request: Request) -> Response:
        asked = decode_body(await read_body(request), _retrain_decoder)

        def check() -> Checked:
            with lend() as connection:
                return check_retraining(connection, settings, forced=asked.force)

        return json_answer(await to_thread.run_sync(check))

    return router


def jobs_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the routes. They wait for PostgreSQL, so each runs in a thread."""
    router = APIRouter(tags=["model"])

    @router.get(
        "/jobs",
        summary="Trainings, as `murmur retrain jobs --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(JobsAnswer),
    )
    def list_jobs() -> Response:
        with lend() as connection:
            return json_answer(JobsAnswer(jobs=jobs(connection)))

    @router.get(
        "/jobs/{number}",
        summary="A training, as `murmur retrain show --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(JobAnswer),
    )
    def job(number: Annotated[int, Path(ge=1, le=_LAST_NUMBER)]) -> Response:
        with lend() as connection:
            found = find_job(connection, number)
            return json_answer(JobAnswer(job=found, stages=stage_outputs(connection, number)))

    return router
