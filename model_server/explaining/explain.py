"""A text to the weights of its words: which texts the model is asked for, and what follows.

Asking the model lies between two pure steps, so that a command does it at once and a service in its
own time.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from model_server.emoji_spans import Span
from model_server.explaining import kernel_shap, leave_one_out, lime
from model_server.explaining.variants import Design, Floats, Variants, variants_of
from model_server.explaining.words import words_of
from model_server.scorer import Prediction

_DECIMALS: Final = 6
"""As the probabilities that the weights are made of; adding 0.0 makes -0.0 a plain 0."""

MOST_WORDS: Final = 64
"""The first of a text: the default model reads no more than 96 word pieces."""

Predict: TypeAlias = Callable[[Sequence[str]], Floats]
"""Texts to probabilities, texts × labels."""


class Method(StrEnum):
    """How the weights are found."""

    LEAVE_ONE_OUT = "leave_one_out"
    SHAP = "shap"
    LIME = "lime"


class _Steps(NamedTuple):
    design: Callable[[int, np.random.Generator], Design]
    weights: Callable[[Design, Floats], Floats]


_STEPS: Final = MappingProxyType(
    {
        Method.LEAVE_ONE_OUT: _Steps(leave_one_out.design, leave_one_out.weights),
        Method.SHAP: _Steps(kernel_shap.design, kernel_shap.weights),
        Method.LIME: _Steps(lime.design, lime.weights),
    }
)


class UnknownLabel(Exception):
    """The model has no such label; the message names those that it has."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(f"the labels are {', '.join(labels)}")


@dataclass(frozen=True)
class WeighedWord:
    """`text` is what stands in the explained text from `start` up to but not at `end`.

    A positive weight speaks for the label, a negative one against it.
    """

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Why a label is as probable as it is.

    `probability` is the label's, and `base_value` is what it is without any of the words. By SHAP
    the weights sum to the difference. Words behind the 64th are in every variant and have no
    weight; `unexplained_words` counts them.
    """

    method: Method
    label: str
    probability: float
    base_value: float
    words: list[WeighedWord]
    unexplained_words: int


@dataclass(frozen=True)
class Question:
    """A text, and the texts that the model has to answer to explain it. Starts with the text."""

    text: str
    method: Method
    words: list[Span]
    unexplained_words: int
    design: Design
    variants: Variants


def ask(text: str, method: Method) -> Question:
    """Return what the model has to be asked; the same for the same text, always."""
    found = words_of(text)
    words = found[:MOST_WORDS]
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    design = _STEPS[method].design(len(words), rng)
    variants = variants_of(text, words, design.masks)
    return Question(text, method, words, len(found) - len(words), design, variants)


def answer(
    question: Question, probabilities: Floats, labels: Sequence[str], label: str | None = None
) -> Explanation:
    """Return the weights, given the probabilities of the question's texts.

    Without `label` the model's own answer is explained. Raises `UnknownLabel`.
    """
    if label is not None and label not in labels:
        raise UnknownLabel(labels)
    whole = probabilities[question.variants.rows[0]]
    column = int(whole.argmax()) if label is None else labels.index(label)
    values = probabilities[question.variants.rows, column]
    weights = _STEPS[question.method].weights(question.design, values)
    words = [
        WeighedWord(start, end, question.text[start:end], round(weight, _DECIMALS) + 0.0)
        for (start, end), weight in zip(question.words, weights.tolist(), strict=True)
    ]
    return Explanation(
        method=question.method,
        label=labels[column],
        probability=round(float(values[0]), _DECIMALS),
        base_value=round(float(values[1]), _DECIMALS),
        words=words,
        unexplained_words=question.unexplained_words,
    )


def explain(
    text: str,
    predict: Predict,
    labels: Sequence[str],
    method: Method = Method.LEAVE_ONE_OUT,
    label: str | None = None,
) -> Explanation:
    """Return why the model answers as it does; all variants are scored in one call of `predict`.

    Raises `UnknownLabel`, before the model is asked.
    """
    if label is not None and label not in labels:
        raise UnknownLabel(labels)
    question = ask(text, method)
    return answer(question, predict(question.variants.texts), labels, label)


def probabilities_of(predictions: Sequence[Prediction]) -> Floats:
    """Return predictions by one model as texts × labels."""
    return np.array([list(each.probabilities.values()) for each in predictions])
