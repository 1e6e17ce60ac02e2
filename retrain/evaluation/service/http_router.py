"""`POST /evaluate`, `GET /evaluations`, `/evaluations/{number}`."""

from collections.abc import Callable, Sequence
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
from retrain.evaluation.service.data_sets import (
    AUDITS,
    LabelledTexts,
    audited_texts,
    texts_of_file,
)
from retrain.evaluation.service.evaluation_job import EvaluationJobs
from retrain.evaluation.service.stored_evaluations import (
    StoredEvaluation,
    find_evaluation,
    list_evaluations,
)
from schemas.known_runs import default_run, require_run
from schemas.storable_text import StorableName
from schemas.transport.postgres import Connection

_LAST_NUMBER: Final = 2**31 - 1
_Lend = Callable[[], AbstractContextManager[Connection]]


class EvaluateRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data_set`: `audits` (of `run`), or the name of a label file of the settings."""

    data_set: StorableName = AUDITS
    run: StorableName | None = None


class EvaluationsAnswer(Struct, frozen=True, kw_only=True):
    """The last evaluations, the newest first."""

    evaluations: list[StoredEvaluation]


_decoder: Final = msgspec.json.Decoder(EvaluateRequest)


def evaluations_router(lend: _Lend) -> APIRouter:
    """Return the routes that show evaluations. They wait for PostgreSQL: each runs in a thread."""
    router = APIRouter(tags=["model"])

    @router.get(
        "/evaluations",
        summary="How well models answered labelled texts",
        response_class=Response,
        openapi_extra=openapi_of_answer(EvaluationsAnswer),
    )
    def evaluations() -> Response:
        with lend() as connection:
            return json_answer(EvaluationsAnswer(evaluations=list_evaluations(connection)))

    @router.get(
        "/evaluations/{number}",
        summary="An evaluation, with its progress or its figures",
        response_class=Response,
        openapi_extra=openapi_of_answer(StoredEvaluation),
    )
    def evaluation(number: Annotated[int, Path(ge=1, le=_LAST_NUMBER)]) -> Response:
        with lend() as connection:
            return json_answer(find_evaluation(connection, number))

    return router


def evaluate_router(
    lend: _Lend,
    jobs: EvaluationJobs,
    labels: Callable[[], Sequence[str]],
    files: Sequence[str],
) -> APIRouter:
    """Return the route that begins one; `files` are label files or folders of them."""
    router = APIRouter(tags=["model"])

    @router.post(
        "/evaluate",
        summary="Begin to measure the model that serves on labelled texts",
        response_class=Response,
        status_code=202,
        openapi_extra=openapi_of(EvaluateRequest, StoredEvaluation, status=202),
    )
    async def evaluate(request: Request) -> Response:
        asked = decode_body(await read_body(request), _decoder)
        served = labels()

        def read() -> LabelledTexts:
            if asked.data_set != AUDITS:
                return texts_of_file(asked.data_set, files, served)
            with lend() as connection:
                run = asked.run or default_run(connection)
                require_run(connection, run)
                return audited_texts(connection, run, served)

        number = await jobs.begin(await to_thread.run_sync(read), served)

        def begun() -> StoredEvaluation:
            with lend() as connection:
                return find_evaluation(connection, number)

        return json_answer(await to_thread.run_sync(begun), status=202)

    return router
