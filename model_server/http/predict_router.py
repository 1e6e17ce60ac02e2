"""`POST /predict` and `POST /predict/batch`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class PredictCalls:
    """The calls; each answer is the one that the stream would give, overrides included.

    `note` is told who asked, the texts and the answers, and returns an id of each prediction.
    """

    predictor: Predictor
    note: Callable[[str, Sequence[str], Answer], list[str]] | None = None
    overrides: Overrides | None = None

    async def predict(self, request: Request) -> Response:
        """Answer one text."""
        asked = decode_body(await read_body(request), predict_decoder)
        texts = [asked.text]
        require_words(texts)
        answer, (prediction_id,) = await self._ask(request, texts)
        (overridden,) = override_predictions(
            self.overrides, texts, answer.predictions, language=asked.language, rules=asked.rules
        )
        return _json(predict_response(answer, prediction_id, overridden))

    async def predict_batch(self, request: Request) -> Response:
        """Answer many texts."""
        asked = decode_body(await read_body(request), predict_batch_decoder)
        require_words(asked.texts)
        answer, ids = await self._ask(request, asked.texts)
        overridden = override_predictions(
            self.overrides,
            asked.texts,
            answer.predictions,
            language=asked.language,
            rules=asked.rules,
        )
        predictions = [
            predicted(*each) for each in zip(answer.predictions, ids, overridden, strict=True)
        ]
        return _json(PredictBatchResponse(predictions=predictions, model=answer.model))

    async def _ask(
        self, request: Request, texts: Sequence[str]
    ) -> tuple[Answer, Sequence[PredictionId]]:
        answer = await self.predictor.predict(texts)
        if self.note is None:
            return answer, [msgspec.UNSET] * len(texts)
        return answer, self.note(caller_of(request).name, texts, answer)


def predict_router(calls: PredictCalls) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["prediction"])
    router.add_api_route(
        "/predict",
        calls.predict,
        methods=["POST"],
        response_class=Response,
        summary="The label of a text",
        openapi_extra=openapi_of(PredictRequest, PredictResponse),
    )
    router.add_api_route(
        "/predict/batch",
        calls.predict_batch,
        methods=["POST"],
        response_class=Response,
        summary="The labels of many texts",
        openapi_extra=openapi_of(PredictBatchRequest, PredictBatchResponse),
    )
    return router


def _json(answer: PredictResponse | PredictBatchResponse) -> Response:
    return Response(_encode(answer), media_type="application/json")
