"""Detectors of change: what they say, what they cannot say, and that JSON keeps all of them."""

import doctest
import importlib
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.drift.detectors.e_detector import BETS, CLIP, PRICE, EDetector, advance, evidence_of
from retrain.drift.detectors.error_alarm import ErrorDetector
from retrain.drift.detectors.permutation_test import PValueDetector, compare
from retrain.drift.detectors.population_stability import (
    distance,
    index_of,
    population_stability,
)
from retrain.drift.hashed_words import hashed_words

surprises = st.floats(-50, 50)
YEAR = 8_766


@pytest.mark.parametrize(
    "name",
    [
        "alarm_gate",
        "e_detector",
        "error_alarm",
        "estimated_accuracy",
        "new_hashtag",
        "permutation_test",
        "population_stability",
    ],
)
def test_the_example_of_each_detector_is_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"retrain.drift.detectors.{name}"))
    assert found.attempted > 0
    assert found.failed == 0


@given(st.lists(surprises, max_size=20))
def test_an_e_detector_goes_through_json_unchanged(series: list[float]) -> None:
    detector = EDetector()
    for w in series:
        detector = detector.update(w)
        assert msgspec.json.decode(msgspec.json.encode(detector), type=EDetector) == detector


@given(st.lists(surprises, max_size=10), surprises)
def test_one_window_says_no_more_than_three_deviations(before: list[float], w: float) -> None:
    detector = EDetector()
    for one in before:
        detector = detector.update(one)
    assert detector.update(w) == detector.update(min(max(w, -CLIP), CLIP))
    most = max(BETS * CLIP - PRICE)
    assert detector.update(w).evidence <= (detector.evidence + 1) * math.exp(most) * (1 + 1e-9)


@given(st.lists(surprises, max_size=20))
def test_a_fall_is_a_rise_looked_at_from_above(series: list[float]) -> None:
    up, down = EDetector(), EDetector()
    for w in series:
        up, down = up.update(w), down.update(-w)
    assert up.log1p_r == down.log1p_r[::-1]
    assert up.evidence == pytest.approx(down.evidence)


def test_the_mean_run_length_is_kept_while_surprises_are_normal() -> None:
    rng = np.random.default_rng(1)
    log1p_r = np.zeros((400, 2, len(BETS)))
    alarmed = np.zeros(400, dtype=bool)
    for _ in range(1_000):
        log1p_r = advance(log1p_r, rng.standard_normal(400))
        alarmed |= evidence_of(log1p_r)[0] >= 1_000
    # A mean run length of 1,000 allows at most about 63 % to alarm within 1,000 windows.
    assert alarmed.mean() < 0.2


def test_a_shift_of_two_deviations_is_found_within_a_day() -> None:
    rng = np.random.default_rng(2)
    detector, hours = EDetector(), 0
    while detector.evidence < YEAR:
        detector, hours = detector.update(2 + rng.standard_normal()), hours + 1
    assert hours <= 24
    assert detector.direction == 1


@given(st.lists(st.booleans(), max_size=40), st.floats(0.05, 0.95))
def test_an_error_detector_goes_through_json_and_stays_finite(
    audits: list[bool], tolerated: float
) -> None:
    detector = ErrorDetector()
    for wrong in audits:
        detector = detector.update(wrong, tolerated=tolerated)
    assert math.isfinite(detector.evidence)
    assert msgspec.json.decode(msgspec.json.encode(detector), type=ErrorDetector) == detector


@given(st.permutations([True] * 5 + [False] * 5))
def test_bets_on_errors_lose_nothing_on_average(audits: list[bool]) -> None:
    # At an error of exactly what is tolerated one audit multiplies R + 1 by 1 on average.
    detector = ErrorDetector()
    for wrong in audits:
        detector = detector.update(wrong, tolerated=0.3)
    after = [detector.update(wrong, tolerated=0.3).evidence for wrong in (True, False)]
    assert 0.3 * after[0] + 0.7 * after[1] == pytest.approx(detector.evidence + 1)


@given(st.lists(st.floats(0.002, 1), max_size=20))
def test_p_values_go_through_json_and_their_order_of_size_counts(series: list[float]) -> None:
    detector = PValueDetector()
    for p in series:
        detector = detector.update(p)
        assert msgspec.json.decode(msgspec.json.encode(detector), type=PValueDetector) == detector
    assert detector.update(0.01).evidence > detector.update(0.5).evidence


def test_p_is_uniform_while_both_samples_are_of_one_population() -> None:
    rng = np.random.default_rng(3)
    ps = []
    for _ in range(150):
        words = rng.integers(0, 60, (80, 5)).tolist()
        tweets = [frozenset(row) for row in words]
        ps.append(compare(tweets[:40], tweets[40:], rng, permutations=99).p)
    assert 0.35 < np.mean(ps) < 0.65
    assert np.mean(np.array(ps) <= 0.1) < 0.2


def test_the_order_of_tweets_decides_nothing_and_a_rerun_gives_the_same() -> None:
    rng = np.random.default_rng(4)
    ours = [frozenset(row) for row in rng.integers(0, 30, (50, 5)).tolist()]
    theirs = [frozenset(row) for row in rng.integers(20, 60, (50, 5)).tolist()]
    first = compare(ours, theirs, np.random.default_rng(5))
    assert compare(ours, theirs, np.random.default_rng(5)) == first
    turned = compare(ours[::-1], theirs[::-1], np.random.default_rng(5))
    assert turned.p == first.p == 1 / 500
    assert turned.new_share == pytest.approx(first.new_share)


def test_tweets_without_words_differ_in_nothing() -> None:
    empty = [frozenset[int]()] * 10
    assert compare(empty, empty, np.random.default_rng(6)).p == 1.0
    assert compare(empty, empty, np.random.default_rng(6)).new_share == 0.0


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1_000), min_size=1))
def test_the_index_of_what_was_expected_is_what_chance_takes_off(counts: dict[str, int]) -> None:
    tweets = sum(counts.values())
    expected = {name: count / max(1, tweets) for name, count in counts.items()}
    index = population_stability(counts, expected)
    assert index == pytest.approx(-(len(counts) - 1) / tweets if tweets else 0.0, abs=1e-9)


@given(st.floats(0, 5))
def test_a_distance_tells_its_index(index: float) -> None:
    assert index_of(float(distance(index))) == pytest.approx(index, abs=1e-9)


def test_a_language_that_nobody_expected_counts() -> None:
    assert population_stability({"en": 500, "xx": 500}, {"en": 1.0}) > 1


def test_links_mentions_and_case_are_no_words() -> None:
    said = hashed_words("GOAL for @team! https://example.org/x #Cup")
    assert said == hashed_words("cup goal FOR")
    assert hashed_words("@team https://example.org") == frozenset()
    assert len(hashed_words(" ".join(map(str, range(1_000))))) == 200
