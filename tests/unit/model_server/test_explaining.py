"""Weights of words: exact where the truth is known, the same each time, true to the model."""

import itertools
from collections.abc import Callable, Sequence
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from model_server.bundle import SHIPPED
from model_server.explaining import kernel_shap
from model_server.explaining.explain import (
    MOST_WORDS,
    Explanation,
    Method,
    Predict,
    UnknownLabel,
    ask,
    explain,
    probabilities_of,
)
from model_server.explaining.variants import Floats
from model_server.scorer import Scorer, load_scorer

LABELS = ("bad", "good")
a_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
words = st.lists(st.sampled_from("one two three four five six seven eight".split()), max_size=30)


def asked(good: Callable[[str], float]) -> Predict:
    """A model whose second label is as probable as a function of the text says."""

    def predict(texts: Sequence[str]) -> Floats:
        shares = np.array([good(text) for text in texts])
        return np.stack([1 - shares, shares], axis=1)

    return predict


def in_a_muddle(text: str) -> float:
    """Depends on all words and their neighbours, and on nothing that can be seen."""
    return 0.5 + 0.5 * float(np.sin(sum(map(ord, text)) + 7 * len(text.split())))


def by_text(explanation: Explanation) -> dict[str, float]:
    return {word.text: word.weight for word in explanation.words}


@pytest.mark.parametrize("method", Method)
def test_a_model_of_one_word_gives_it_everything(method: Method) -> None:
    model = asked(lambda text: 0.9 if "lovely" in text else 0.2)
    text = "what a lovely evening we had down there by the old river with you and them"
    found = explain(text, model, LABELS, method)
    weights = by_text(found)
    lovely = weights.pop("lovely")
    assert (found.label, found.probability, found.base_value) == ("good", 0.9, 0.2)
    # LIME's ridge leaves something to the others.
    slack = 0.08 if method == Method.LIME else 1e-9
    assert lovely == pytest.approx(0.7, abs=slack)
    assert max(map(abs, weights.values())) < slack


@given(words.map(" ".join).filter(bool), st.sampled_from(LABELS))
def test_shap_sums_to_the_difference_of_the_outputs(text: str, label: str) -> None:
    found = explain(text, asked(in_a_muddle), LABELS, Method.SHAP, label)
    total = sum(word.weight for word in found.words)
    # Each is rounded to six decimals.
    rounding = 1e-6 * (1 + len(found.words))
    assert total == pytest.approx(found.probability - found.base_value, abs=rounding)


@pytest.mark.parametrize("count", range(1, 7))
def test_shap_is_exact_where_there_are_few_words(count: int) -> None:
    """Beside the mean over all orders, by the formula of Shapley."""
    rng = np.random.default_rng(count)
    worth = {tuple(mask): rng.random() for mask in itertools.product([0, 1], repeat=count)}
    names = [f"w{place}" for place in range(count)]

    def good(text: str) -> float:
        return worth[tuple(int(name in text.split()) for name in names)]

    weights = explain(" ".join(names), asked(good), LABELS, Method.SHAP, "good").words
    for place in range(count):
        exact = 0.0
        for mask, without in worth.items():
            if not mask[place]:
                with_it = worth[(*mask[:place], 1, *mask[place + 1 :])]
                exact += (with_it - without) / (count * comb(count - 1, sum(mask)))
        assert weights[place].weight == pytest.approx(exact, abs=6e-7)


@pytest.mark.parametrize("count", [7, 16, 30, 64])
def test_shap_is_exact_for_a_model_that_adds_words_up(count: int) -> None:
    parts = {f"w{place}": (place - 20) / 5_000 for place in range(count)}
    model = asked(lambda text: 0.5 + sum(parts[word] for word in text.split()))
    found = explain(" ".join(parts), model, LABELS, Method.SHAP, "good")
    assert by_text(found) == pytest.approx(parts, abs=1e-9)


@given(st.integers(0, 64), st.integers(0, 2**32))
@hypothesis_settings(max_examples=40, deadline=None)
def test_coalitions_come_in_pairs_and_are_bounded(count: int, seed: int) -> None:
    design = kernel_shap.design(count, np.random.default_rng(seed))
    coalitions = design.masks[2:]
    assert len(coalitions) <= max(96, 4 * count)
    assert len(coalitions) >= min(95, 2**count - 2)
    counted: dict[bytes, float] = {}
    for mask, counts in zip(coalitions, design.counts[2:], strict=True):
        assert 0 < mask.sum() < count
        key = mask.tobytes()
        counted[key] = counted.get(key, 0) + counts
    for key, counts in counted.items():
        complement = (~np.frombuffer(key, dtype=np.bool_)).tobytes()
        assert counted[complement] == pytest.approx(counts)


@pytest.mark.parametrize("method", Method)
@given(text=a_text)
@example(
    text="a tweet of more words than all coalitions could be asked for 😂 #so @it https://t.co/a"
)
@hypothesis_settings(max_examples=30, deadline=None)
def test_the_same_text_gets_the_same_answer_and_its_own_words(method: Method, text: str) -> None:
    model = asked(in_a_muddle)
    found = explain(text, model, LABELS, method)
    assert found == explain(text, model, LABELS, method)
    for word in found.words:
        assert text[word.start : word.end] == word.text
        assert np.isfinite(word.weight)
    question = ask(text, method)
    assert question.variants.texts[0] == text
    assert len(set(question.variants.texts)) == len(question.variants.texts) <= 258


@pytest.mark.parametrize("method", Method)
def test_of_a_long_text_the_first_words_are_explained(method: Method) -> None:
    text = " ".join(f"word{place}" for place in range(100))
    asked_texts: list[str] = []

    def predict(texts: Sequence[str]) -> Floats:
        asked_texts.extend(texts)
        return asked(in_a_muddle)(texts)

    found = explain(text, predict, LABELS, method)
    assert len(found.words) == MOST_WORDS
    assert found.unexplained_words == 100 - MOST_WORDS
    assert all(each.endswith("word64" + text.partition("word64")[2]) for each in asked_texts)


def test_words_that_are_left_out_join_no_others() -> None:
    variants = ask("love❤️you", Method.LEAVE_ONE_OUT).variants.texts
    assert variants == ["love❤️you", "   ", " ❤️you", "love you", "love❤️ "]


def test_an_unknown_label_is_refused_before_the_model_is_asked() -> None:
    def never(texts: Sequence[str]) -> Floats:
        raise AssertionError(texts)

    with pytest.raises(UnknownLabel, match="the labels are bad, good"):
        explain("fine", never, LABELS, label="better")


@pytest.fixture(scope="module", params=SHIPPED)
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return load_scorer(Path(request.param), cache_size=0)


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize(
    ("text", "label", "strongest"),
    [
        ("What a wonderful morning in this city", "positive", "wonderful"),
        ("The train was so awful, see https://t.co/a1 @rail", "negative", "awful,"),
        ("The meeting with the team 😡😡", "negative", "😡😡"),
    ],
)
def test_shipped_models_go_by_the_words_that_people_would_name(
    method: Method, text: str, label: str, strongest: str, scorer: Scorer
) -> None:
    found = explain(
        text, lambda texts: probabilities_of(scorer.predict(texts)), scorer.labels, method
    )
    assert found.label == label
    assert found.probability == scorer.predict([text])[0].confidence
    assert max(found.words, key=lambda word: word.weight).text == strongest
