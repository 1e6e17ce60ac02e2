"""A text to the model's answer, and to why it is that answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from deploy.page.explained_text import TextPiece, heaviest, text_pieces
from model_server.explaining.explain import Method, WeighedWord
from model_server.http.explain_router import weigh_words
from model_server.http.explanation_types import MAX_EXPLAINED_CHARS
from model_server.http.predictor import Predictor
from schemas.events import ModelIdentity

_MOST_WORDS_IN_A_TABLE = 20


@dataclass(frozen=True)
class ExplainedText:
    """The label with its probabilities, and the text in pieces with the words that weigh most.

    `pieces` is empty where the text is too long to be explained.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    base_value: float
    pieces: list[TextPiece]
    words: list[WeighedWord]
    unexplained_words: int
    model: ModelIdentity


Explain: TypeAlias = Callable[[str], Awaitable[ExplainedText]]


def text_explainer(predictor: Predictor) -> Explain:
    """Return what explains a text by the model that serves; it raises `Refused`."""

    async def explain(text: str) -> ExplainedText:
        answer = await predictor.predict([text])
        (prediction,) = answer.predictions
        if len(text) > MAX_EXPLAINED_CHARS:
            return ExplainedText(
                prediction.label,
                prediction.confidence,
                prediction.probabilities,
                0.0,
                [],
                [],
                0,
                answer.model,
            )
        found, model = await weigh_words(predictor, text, Method.LEAVE_ONE_OUT, prediction.label)
        return ExplainedText(
            prediction.label,
            prediction.confidence,
            prediction.probabilities,
            found.base_value,
            text_pieces(text, found.words),
            heaviest(found.words, _MOST_WORDS_IN_A_TABLE),
            found.unexplained_words,
            model,
        )

    return explain
