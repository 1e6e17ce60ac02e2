"""`POST /predict` and `POST /predict/batch`."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from model_server.http.batching import Answer
from model_server.http.caller import caller_of
from model_server.http.prediction_types import (
    PredictBatchRequest,
    PredictBatchResponse,
    PredictionId,
    PredictRequest,
    PredictResponse,
    predict_batch_decoder,
    predict_decoder,
    predict_response,
    predicted,
    require_words,
)
from model_server.http.predictor import Predictor
from model_server.http.request_body import decode_body, openapi_of, read_body

_encode: Final = msgspec.json.Encoder().encode


def predict_router(
    predictor: Predictor, note: Callable[[str, Sequence[str], Answer], list[str]] | None = None
) -> APIRouter:
    """Return the routes; each answer is the one that the stream would give.

    `note` is told who asked, the texts and the answers, and returns an id of each prediction.
    """
    router = APIRouter(tags=["prediction"])

    async def ask(request: Request, texts: Sequence[str]) -> tuple[Answer, Sequence[PredictionId]]:
        answer = await predictor.predict(texts)
        if note is None:
            return answer, [msgspec.UNSET] * len(texts)
        return answer, note(caller_of(request).name, texts, answer)

    @router.post(
        "/predict",
        summary="The label of a text",
        openapi_extra=openapi_of(PredictRequest, PredictResponse),
    )
    async def predict(request: Request) -> Response:
        text = decode_body(await read_body(request), predict_decoder).text
        require_words([text])
        answer, (prediction_id,) = await ask(request, [text])
        return _json(predict_response(answer, prediction_id))

    @router.post(
        "/predict/batch",
        summary="The labels of many texts",
        openapi_extra=openapi_of(PredictBatchRequest, PredictBatchResponse),
    )
    async def predict_batch(request: Request) -> Response:
        texts = decode_body(await read_body(request), predict_batch_decoder).texts
        require_words(texts)
        answer, ids = await ask(request, texts)
        predictions = [
            predicted(each, id_) for each, id_ in zip(answer.predictions, ids, strict=True)
        ]
        return _json(PredictBatchResponse(predictions=predictions, model=answer.model))

    return router


def _json(answer: PredictResponse | PredictBatchResponse) -> Response:
    return Response(_encode(answer), media_type="application/json")
