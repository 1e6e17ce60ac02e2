"""`POST /explain`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from model_server.explaining.explain import (
    Explanation,
    Method,
    UnknownLabel,
    answer,
    ask,
    probabilities_of,
)
from model_server.http.explanation_types import (
    ExplainRequest,
    ExplainResponse,
    explain_decoder,
    explain_response,
)
from model_server.http.prediction_types import require_words
from model_server.http.predictor import Predictor
from model_server.http.problems import Refused
from model_server.http.request_body import decode_body, openapi_of, read_body
from schemas.events import ModelIdentity

_encode: Final = msgspec.json.Encoder().encode


def explain_router(predictor: Predictor, labels: Callable[[], Sequence[str]]) -> APIRouter:
    """Return the route; the variants of a text take their turns beside other requests' texts.

    `labels` are those of the model that serves.
    """
    router = APIRouter(tags=["prediction"])

    @router.post(
        "/explain",
        summary="The weight of each word in a text's label",
        openapi_extra=openapi_of(ExplainRequest, ExplainResponse),
    )
    async def explain(request: Request) -> Response:
        asked = decode_body(await read_body(request), explain_decoder)
        require_words([asked.text])
        found = await explained(predictor, labels(), asked)
        return Response(_encode(found), media_type="application/json")

    return router


async def explained(
    predictor: Predictor, labels: Sequence[str], asked: ExplainRequest
) -> ExplainResponse:
    """Return the weights of a text's words; raise `Refused` for a label that is not there."""
    if asked.label is not None and asked.label not in labels:
        raise _unknown_label(UnknownLabel(labels))
    return explain_response(*await weigh_words(predictor, asked.text, asked.method, asked.label))


async def weigh_words(
    predictor: Predictor, text: str, method: Method, label: str | None = None
) -> tuple[Explanation, ModelIdentity]:
    """Return why the model answers as it does, and which model; raise `Refused`."""
    # Some milliseconds of arithmetic, during which other requests go on.
    question = await asyncio.to_thread(ask, text, method)
    scored = await predictor.predict_variants(question.variants.texts, method)
    names = list(scored.predictions[0].probabilities)
    probabilities = probabilities_of(scored.predictions)
    try:
        found = await asyncio.to_thread(answer, question, probabilities, names, label)
    except UnknownLabel as unknown:
        # The model was swapped for one with other labels.
        raise _unknown_label(unknown) from None
    return found, scored.model


def _unknown_label(unknown: UnknownLabel) -> Refused:
    sentence = str(unknown)
    return Refused(
        422,
        "unknown-label",
        "The model has no such label.",
        f"{sentence[0].upper()}{sentence[1:]}.",
    )
