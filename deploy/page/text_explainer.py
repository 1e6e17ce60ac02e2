"""A text to the model's answer, and to why it is that answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias

from deploy.page.explained_text import TextPiece, heaviest, text_pieces
from model_server.explaining.explain import Method, WeighedWord
from model_server.http.explain_router import weigh_words
from model_server.http.explanation_types import MAX_EXPLAINED_CHARS
from model_server.http.predictor import Predictor
from model_server.overrides.apply_override import Overridden, override_predictions
from model_server.overrides.override import Override, Overrides
from schemas.events import ModelIdentity

_MOST_WORDS_IN_A_TABLE = 20


@dataclass(frozen=True)
class ExplainedText:
    """The model's label with its probabilities, and the text in pieces with the heaviest words.

    `pieces` is empty where the text is too long to be explained. `counting` is the answer that
    counts for a text of which no language and no rule is known. `conditional` are overrides that
    would come before it for some languages or rules, in their order.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    base_value: float
    pieces: list[TextPiece]
    words: list[WeighedWord]
    unexplained_words: int
    model: ModelIdentity
    counting: Overridden
    conditional: Sequence[Override]


Explain: TypeAlias = Callable[[str], Awaitable[ExplainedText]]


def text_explainer(predictor: Predictor, overrides: Callable[[], Overrides | None]) -> Explain:
    """Return what explains a text by the model that serves; it raises `Refused`.

    `overrides` says which ones are used now.
    """

    async def explain(text: str) -> ExplainedText:
        answer = await predictor.predict([text])
        (prediction,) = answer.predictions
        used = overrides()
        (counting,) = override_predictions(used, [text], answer.predictions)
        conditional = _before_all_texts(used.with_phrase_in(text) if used is not None else [])
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
                counting,
                conditional,
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
            counting,
            conditional,
        )

    return explain


def _before_all_texts(overrides: Sequence[Override]) -> list[Override]:
    """Return those that come before the first one which concerns every text."""
    return list(takewhile(lambda each: each.languages or each.rules, overrides))
