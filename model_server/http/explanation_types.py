"""What `POST /explain` takes and gives."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from model_server.explaining.explain import Explanation, Method, WeighedWord
from schemas.events import ModelIdentity

MAX_EXPLAINED_CHARS: Final = 4_000
"""The model is asked for up to 258 variants of a text: of 4,000 characters that costs 3 to 5 s of
CPU, of 10,000 emoji half as much again, and it reads no more of them."""


class ExplainRequest(Struct, frozen=True, kw_only=True):
    """A text, and how its words are weighed: at once, or more exactly by `shap`.

    Without `label` the model's own answer is explained.
    """

    text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_EXPLAINED_CHARS,
            description="A text as people wrote it.",
            examples=["What a lovely evening"],
        ),
    ]
    method: Method = Method.LEAVE_ONE_OUT
    label: str | None = None


class ExplainResponse(Struct, frozen=True, kw_only=True):
    """The label's probability, what it is without any of the words, and each word's weight.

    By `shap` the weights sum to the difference of the two. `start` and `end` count characters, as
    Python does, and not the units of UTF-16, as JavaScript does.
    """

    label: str
    probability: float
    base_value: float
    method: Method
    words: list[WeighedWord]
    unexplained_words: int
    model: ModelIdentity


explain_decoder: Final = msgspec.json.Decoder(ExplainRequest)


def explain_response(explanation: Explanation, model: ModelIdentity) -> ExplainResponse:
    """Return an explanation as it is answered."""
    return ExplainResponse(
        label=explanation.label,
        probability=explanation.probability,
        base_value=explanation.base_value,
        method=explanation.method,
        words=explanation.words,
        unexplained_words=explanation.unexplained_words,
        model=model,
    )
