"""What the prediction calls take and give."""

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from model_server.http.batching import Answer
from model_server.http.problems import Refused
from model_server.overrides.apply_override import Overridden
from model_server.scorer import Prediction
from schemas.events import MAX_TEXT_CHARS, AppliedOverride, ModelIdentity

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


_Language = Annotated[str, Meta(min_length=1, max_length=16)]
_Rules = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=100)]


class PredictRequest(Struct, frozen=True, kw_only=True):
    """A text. `language` and `rules` are for overrides that are of some of them alone."""

    text: RequestText
    language: _Language | None = None
    rules: _Rules = []


class PredictBatchRequest(Struct, frozen=True, kw_only=True):
    """Texts; the answers come in the same order. `language` and `rules` are of all of them."""

    language: _Language | None = None
    rules: _Rules = []
    texts: Annotated[list[RequestText], Meta(min_length=1, max_length=MAX_TEXTS)]


class PredictedText(Struct, frozen=True, kw_only=True):
    """The model's answer. `probabilities` has every label and sums to 1.

    `prediction_id` is there where predictions are logged, and `override` where a team's override
    gave the label: it keeps the model's own.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    prediction_id: PredictionId = msgspec.UNSET
    override: AppliedOverride | msgspec.UnsetType = msgspec.UNSET


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


def predicted(
    prediction: Prediction,
    prediction_id: PredictionId = msgspec.UNSET,
    overridden: Overridden | None = None,
) -> PredictedText:
    """Return a prediction as it is answered; `overridden` is the answer that counts."""
    counting = overridden or Overridden(prediction.label, prediction.confidence, None)
    return PredictedText(
        label=counting.label,
        confidence=counting.confidence,
        probabilities=prediction.probabilities,
        prediction_id=prediction_id,
        override=counting.override or msgspec.UNSET,
    )


def predict_response(
    answer: Answer,
    prediction_id: PredictionId = msgspec.UNSET,
    overridden: Overridden | None = None,
) -> PredictResponse:
    """Return the answer to one text."""
    (only,) = answer.predictions
    counting = overridden or Overridden(only.label, only.confidence, None)
    return PredictResponse(
        label=counting.label,
        confidence=counting.confidence,
        probabilities=only.probabilities,
        prediction_id=prediction_id,
        override=counting.override or msgspec.UNSET,
        model=answer.model,
    )
