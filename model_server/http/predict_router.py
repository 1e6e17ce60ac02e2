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
from model_server.overrides.apply_override import override_predictions
from model_server.overrides.override import Overrides

_encode: Final = msgspec.json.Encoder().encode


def predict_router(
    predictor: Predictor,
    note: Callable[[str, Sequence[str], Answer], list[str]] | None = None,
    overrides: Overrides | None = None,
) -> APIRouter:
    """Return the routes; each answer is the one that the stream would give, overrides included.

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
        asked = decode_body(await read_body(request), predict_decoder)
        texts = [asked.text]
        require_words(texts)
        answer, (prediction_id,) = await ask(request, texts)
        (overridden,) = override_predictions(
            overrides, texts, answer.predictions, language=asked.language, rules=asked.rules
        )
        return _json(predict_response(answer, prediction_id, overridden))

    @router.post(
        "/predict/batch",
        summary="The labels of many texts",
        openapi_extra=openapi_of(PredictBatchRequest, PredictBatchResponse),
    )
    async def predict_batch(request: Request) -> Response:
        asked = decode_body(await read_body(request), predict_batch_decoder)
        require_words(asked.texts)
        answer, ids = await ask(request, asked.texts)
        overridden = override_predictions(
            overrides, asked.texts, answer.predictions, language=asked.language, rules=asked.rules
        )
        predictions = [
            predicted(*each) for each in zip(answer.predictions, ids, overridden, strict=True)
        ]
        return _json(PredictBatchResponse(predictions=predictions, model=answer.model))

    return router


def _json(answer: PredictResponse | PredictBatchResponse) -> Response:
    return Response(_encode(answer), media_type="application/json")
