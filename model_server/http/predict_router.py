"""`POST /predict` and `POST /predict/batch`."""

from collections.abc import Sequence
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from model_server.http.batching import Answer
from model_server.http.prediction_types import (
    PredictBatchRequest,
    PredictBatchResponse,
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


def predict_router(predictor: Predictor) -> APIRouter:
    """Return the routes; each answer is the one that the stream would give."""
    router = APIRouter(tags=["prediction"])

    async def ask(texts: Sequence[str]) -> Answer:
        return await predictor.predict(texts)

    @router.post(
        "/predict",
        summary="The label of a text",
        openapi_extra=openapi_of(PredictRequest, PredictResponse),
    )
    async def predict(request: Request) -> Response:
        text = decode_body(await read_body(request), predict_decoder).text
        require_words([text])
        return _json(predict_response(await ask([text])))

    @router.post(
        "/predict/batch",
        summary="The labels of many texts",
        openapi_extra=openapi_of(PredictBatchRequest, PredictBatchResponse),
    )
    async def predict_batch(request: Request) -> Response:
        texts = decode_body(await read_body(request), predict_batch_decoder).texts
        require_words(texts)
        answer = await ask(texts)
        return _json(
            PredictBatchResponse(
                predictions=[predicted(each) for each in answer.predictions], model=answer.model
            )
        )

    return router


def _json(answer: PredictResponse | PredictBatchResponse) -> Response:
    return Response(_encode(answer), media_type="application/json")
