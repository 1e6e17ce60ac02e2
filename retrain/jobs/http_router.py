"""`GET /jobs`, `/jobs/{number}`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Final

from fastapi import APIRouter, Path
from msgspec import Struct
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from retrain.jobs.job_store import Job, StageOutput, find_job, jobs, stage_outputs
from schemas.transport.postgres import Connection

_LAST_NUMBER: Final = 2**31 - 1


class JobsAnswer(Struct, frozen=True, kw_only=True):
    """The last jobs, the newest first."""

    jobs: list[Job]


class JobAnswer(Struct, frozen=True, kw_only=True):
    """A job with what its stages gave."""

    job: Job
    stages: dict[str, StageOutput]


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
