"""`POST /predict` and `POST /predict/batch`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

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
from model_server.overrides.apply_override import Overridden, override_predictions
from model_server.overrides.followed_overrides import no_overrides
from model_server.overrides.override import Overrides

_encode: Final = msgspec.json.Encoder().encode


Note: TypeAlias = Callable[[str, Sequence[str], Answer, Sequence[Overridden]], list[str]]


@dataclass(frozen=True)
class PredictCalls:
    """The calls; each answer is the one that the stream would give, overrides included.

    `note` is told who asked, the texts, the model's answers and those that count, and returns an id
    of each prediction. `overrides` says which ones are used now.
    """

    predictor: Predictor
    note: Note | None = None
    overrides: Callable[[], Overrides | None] = no_overrides

    async def predict(self, request: Request) -> Response:
        """Answer one text."""
        asked = decode_body(await read_body(request), predict_decoder)
        texts = [asked.text]
        require_words(texts)
        answer, ids, overridden = await self._ask(request, texts, asked)
        return _json(predict_response(answer, ids[0], overridden[0]))

    async def predict_batch(self, request: Request) -> Response:
        """Answer many texts."""
        asked = decode_body(await read_body(request), predict_batch_decoder)
        require_words(asked.texts)
        answer, ids, overridden = await self._ask(request, asked.texts, asked)
        predictions = [
            predicted(*each) for each in zip(answer.predictions, ids, overridden, strict=True)
        ]
        return _json(PredictBatchResponse(predictions=predictions, model=answer.model))

    async def _ask(
        self, request: Request, texts: Sequence[str], asked: PredictRequest | PredictBatchRequest
    ) -> tuple[Answer, Sequence[PredictionId], Sequence[Overridden]]:
        answer = await self.predictor.predict(texts)
        overridden = override_predictions(
            self.overrides(), texts, answer.predictions, language=asked.language, rules=asked.rules
        )
        if self.note is None:
            return answer, [msgspec.UNSET] * len(texts), overridden
        return answer, self.note(caller_of(request).name, texts, answer, overridden), overridden


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
