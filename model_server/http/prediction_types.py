"""What the prediction calls take and give."""

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from model_server.http.batching import Answer
from model_server.http.problems import Refused
from model_server.scorer import Prediction
from schemas.events import MAX_TEXT_CHARS, ModelIdentity

MAX_TEXTS: Final = 512

RequestText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT_CHARS,
        description="A text as people wrote it.",
        examples=["What a lovely evening"],
    ),
]


PredictionId: TypeAlias = str | msgspec.UnsetType


class PredictRequest(Struct, frozen=True, kw_only=True):
    """A text."""

    text: RequestText


class PredictBatchRequest(Struct, frozen=True, kw_only=True):
    """Texts; the answers come in the same order."""

    texts: Annotated[list[RequestText], Meta(min_length=1, max_length=MAX_TEXTS)]


class PredictedText(Struct, frozen=True, kw_only=True):
    """The model's answer. `probabilities` has every label and sums to 1.

    `prediction_id` is there where predictions are logged.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    prediction_id: PredictionId = msgspec.UNSET


class PredictResponse(PredictedText, frozen=True, kw_only=True):
    """The model's answer, and which model gave it."""

    model: ModelIdentity


class PredictBatchResponse(Struct, frozen=True, kw_only=True):
    """An answer for each text, in their order, all by one model."""

    predictions: list[PredictedText]
    model: ModelIdentity


predict_decoder: Final = msgspec.json.Decoder(PredictRequest)
predict_batch_decoder: Final = msgspec.json.Decoder(PredictBatchRequest)


def require_words(texts: list[str]) -> None:
    """Raise `Refused` where a text is nothing but white space."""
    for place, text in enumerate(texts):
        if not text.strip():
            raise Refused(
                422, "empty-text", "A text is empty.", f"Text {place} is only white space."
            )


def predicted(prediction: Prediction, prediction_id: PredictionId = msgspec.UNSET) -> PredictedText:
    """Return a prediction as it is answered."""
    return PredictedText(
        prediction_id=prediction_id,
        label=prediction.label,
        confidence=prediction.confidence,
        probabilities=prediction.probabilities,
    )


def predict_response(
    answer: Answer, prediction_id: PredictionId = msgspec.UNSET
) -> PredictResponse:
    """Return the answer to one text."""
    (only,) = answer.predictions
    return PredictResponse(
        prediction_id=prediction_id,
        label=only.label,
        confidence=only.confidence,
        probabilities=only.probabilities,
        model=answer.model,
    )
