"""Krippendorff's alpha against the examples that he published, and its laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.labels.agreement import agreement
from retrain.labels.audits_needed import audits_needed, half_width_now

# K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011: his data A, B and C.
MEG = "0 1 0 0 0 0 0 0 1 0"
OWEN = "1 1 1 0 0 1 0 0 0 0"
BEN = "a a b b d c c c e d d a"
GERRY = "b a b b b c c c e d d d"
FOUR_OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)

units = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=1, max_size=30)


def units_of(*observers: str) -> list[list[str]]:
    columns = zip(*(observer.split() for observer in observers), strict=True)
    return [[answer for answer in column if answer != "."] for column in columns]


@pytest.mark.parametrize(
    ("observers", "alpha", "pairable"),
    [((MEG, OWEN), 0.095, 10), ((BEN, GERRY), 0.692, 12), (FOUR_OBSERVERS, 0.743, 11)],
)
def test_published_examples_come_out(
    observers: tuple[str, ...], alpha: float, pairable: int
) -> None:
    found = agreement(units_of(*observers))
    assert found.alpha == pytest.approx(alpha, abs=0.0006)
    assert found.units == pairable
    assert found.low is not None
    assert found.high is not None
    assert found.low < alpha < found.high


def pairwise_alpha(given_units: list[list[str]]) -> float | None:
    """The definition itself: one less observed by expected disagreement, pair by pair."""
    pairable = [unit for unit in given_units if len(unit) > 1]
    answers = [answer for unit in pairable for answer in unit]
    observed = sum(
        sum(a != b for a in unit for b in unit) / (len(unit) - 1) for unit in pairable
    ) / max(1, len(answers))
    expected = sum(a != b for a in answers for b in answers) / max(
        1, len(answers) * (len(answers) - 1)
    )
    return 1 - observed / expected if expected else None


@given(units)
def test_alpha_is_one_less_observed_by_expected_disagreement(given_units: list[list[str]]) -> None:
    found = agreement(given_units)
    expected = pairwise_alpha(given_units)
    assert (found.alpha is None) == (expected is None)
    if found.alpha is not None and expected is not None:
        assert math.isclose(found.alpha, expected, abs_tol=1e-6)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.alpha <= found.high


@given(units)
def test_neither_the_order_of_units_nor_of_answers_matters(given_units: list[list[str]]) -> None:
    shuffled = [sorted(unit, reverse=True) for unit in reversed(given_units)]
    assert agreement(shuffled) == agreement(given_units)


def test_one_label_alone_tells_nothing_and_full_agreement_is_one() -> None:
    assert agreement([["a", "a"]] * 5).alpha is None
    assert agreement([["a", "a"], ["b", "b"]]).alpha == 1
    assert agreement([["a"], ["b"]]).units == 0


def test_audits_for_three_points_follow_the_worst_label() -> None:
    assert audits_needed({}) == 1_068
    assert audits_needed({"a": 10}) == 1_068
    assert audits_needed({"a": 90, "b": 10}) == 385
    assert half_width_now({}) is None
    assert half_width_now({"a": 534, "b": 534}) == pytest.approx(0.03, abs=1e-4)
