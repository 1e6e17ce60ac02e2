"""A decision applied to probabilities: what it may change and what never."""

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from model_server.decisions import biases_for, decide, fits, own_answer
from schemas.decisions import Decision
from tests.unit.decision_examples import MODEL_SHA256, decision
from tests.unit.examples import LABELS

probability = st.floats(0, 1).map(lambda p: round(p, 6))
probabilities = st.tuples(probability, probability, probability).map(
    lambda row: dict(zip(LABELS, row, strict=True))
)
bias = st.floats(-5, 5)
biases = st.tuples(bias, bias, bias)
rules = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4)


@given(probabilities, rules)
def test_biases_of_zero_change_nothing(of_tweet: dict[str, float], matched: list[str]) -> None:
    nothing = decision(biases=(0.0, 0.0, 0.0), by_rule={"a": (0.0, 0.0, 0.0)})
    assert decide(of_tweet, matched, nothing) == own_answer(of_tweet, LABELS)
    label, confidence = own_answer(of_tweet, LABELS)
    assert confidence == max(of_tweet.values()) == of_tweet[label]


@given(probabilities, biases, biases, biases, rules)
def test_neither_the_order_of_labels_in_a_row_nor_that_of_rules_matters(
    of_tweet: dict[str, float],
    whole: tuple[float, ...],
    a: tuple[float, ...],
    b: tuple[float, ...],
    matched: list[str],
) -> None:
    chosen = decision(biases=whole, by_rule={"a": a, "b": b})
    answer = decide(of_tweet, matched, chosen)
    backwards = dict(reversed(of_tweet.items()))
    assert decide(backwards, [*reversed(matched), *matched], chosen) == answer
    assert 0 <= answer[1] <= 1


@given(probabilities, biases, st.floats(-5, 5))
def test_a_number_added_to_all_biases_changes_no_label(
    of_tweet: dict[str, float], whole: tuple[float, ...], more: float
) -> None:
    moved = tuple(bias + more for bias in whole)
    before, after = (decide(of_tweet, [], decision(biases=b)) for b in (whole, moved))
    scores = sorted(
        math.log(max(of_tweet[label], 5e-7)) + bias
        for label, bias in zip(LABELS, whole, strict=True)
    )
    # Sums that are equal but for rounding may be taken either way.
    if any(whole) and any(moved) and scores[-1] - scores[-2] > 1e-9:
        assert after[0] == before[0]
        assert after[1] == pytest.approx(before[1], abs=2e-6)


def test_a_decision_by_hand() -> None:
    # .5·e^-1, .3, .2·e are .183940, .3, .543656; their sum is 1.027596
    chosen = decision(biases=(-1.0, 0.0, 1.0))
    of_tweet = dict(zip(LABELS, (0.5, 0.3, 0.2), strict=True))
    assert decide(of_tweet, ["unknown"], chosen) == ("positive", 0.529056)


def test_several_rules_have_the_mean_of_their_biases_and_unknown_ones_count_nothing() -> None:
    chosen = decision(biases=(9.0, 0.0, 0.0), by_rule={"a": (1.0, 0, 0), "b": (2.0, 0, 4.0)})
    assert biases_for([], chosen) == biases_for(["c"], chosen) == (9.0, 0.0, 0.0)
    assert biases_for(["a", "c"], chosen) == (1.0, 0, 0)
    assert list(biases_for(["b", "a"], chosen)) == [1.5, 0, 2.0]


def test_probabilities_of_zero_are_bounded() -> None:
    of_tweet = dict(zip(LABELS, (1.0, 0.0, 0.0), strict=True))
    assert decide(of_tweet, [], decision(biases=(0.0, 1.0, 0.0)))[0] == "negative"
    assert decide(of_tweet, [], decision(biases=(0.0, 50.0, 0.0))) == ("neutral", 1.0)


def test_a_decision_fits_its_run_and_its_model_alone() -> None:
    chosen = decision()
    assert fits(chosen, run="test", model_sha256=MODEL_SHA256, labels=LABELS)
    assert not fits(chosen, run="other", model_sha256=MODEL_SHA256, labels=LABELS)
    assert not fits(chosen, run="test", model_sha256="b" * 64, labels=LABELS)
    assert not fits(chosen, run="test", model_sha256=MODEL_SHA256, labels=["calm", "cross"])


@pytest.mark.parametrize(
    "faulty",
    [
        {"biases": (1.0, 2.0)},
        {"biases": (1.0, 2.0, math.nan)},
        {"biases": (1.0, 2.0, math.inf)},
        {"biases": (1.0, 2.0, 51.0)},
        {"by_rule": {"a": (1.0,)}},
        {"labels": ("a", "a", "b")},
    ],
)
def test_a_decision_without_a_sound_bias_for_each_label_cannot_be_made(
    faulty: dict[str, object],
) -> None:
    with pytest.raises(ValueError, match=r"bias|label"):
        decision(**faulty)  # type: ignore[arg-type]
    assert isinstance(decision(), Decision)
