"""Fitting and judging decisions: against cases worked out by hand, and what always holds."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from model_server.decisions import decide
from retrain.decisions.fit_biases import fit_biases, softmax_rows
from retrain.decisions.fit_decision import Biases, Texts, fit_decision, rules_to_fit
from retrain.decisions.judge_decision import (
    cross_fitted,
    figures_of_decision,
    folds_of,
    refusal,
)
from retrain.decisions.match_shares import label_shares, match_shares, total_variation
from schemas.decisions import Gain
from tests.unit.decision_examples import decision
from tests.unit.examples import LABELS


def stream(
    texts: int, shares: tuple[float, ...], seed: int, skew: tuple[float, ...]
) -> tuple[Texts, "np.typing.NDArray[np.int64]"]:
    """Return texts whose model has seen other shares than they have, and people's labels."""
    random = np.random.default_rng(seed)
    truth = random.choice(3, size=texts, p=shares)
    scores = random.normal(size=(texts, 3)) + 2 * np.eye(3)[truth] + np.array(skew)
    return Texts(softmax_rows(scores), [()] * texts), truth.astype(np.int64)


def test_without_evidence_the_biases_of_two_labels_have_the_odds_of_the_counts() -> None:
    # Equal probabilities: 30 to 10 is log 3 between both, but for the ridge.
    scores = np.log(np.full((40, 2), 0.5))
    biases = fit_biases(scores, np.array([30.0, 10.0]), ridge=1e-6, towards=np.zeros(2))
    assert biases[0] - biases[1] == pytest.approx(np.log(3), abs=1e-4)
    assert biases.sum() == pytest.approx(0, abs=1e-4)


def test_a_ridge_by_hand() -> None:
    # One text, two labels, b and -b by symmetry: σ(-2b) = b has its root at .27846
    biases = fit_biases(np.zeros((1, 2)), np.array([1.0, 0.0]), ridge=1.0, towards=np.zeros(2))
    b = biases[0]
    assert 1 / (1 + np.exp(2 * b)) == pytest.approx(b, abs=1e-8)
    assert biases[1] == pytest.approx(-b)


@given(st.integers(0, 1_000), st.floats(0.1, 10))
def test_the_gradient_at_the_biases_is_nothing(seed: int, ridge: float) -> None:
    random = np.random.default_rng(seed)
    scores = np.log(random.dirichlet([0.3, 0.3, 0.3], size=60) + 1e-9)
    counts = np.bincount(random.integers(0, 3, 60), minlength=3).astype(float)
    towards = random.normal(size=3)
    biases = fit_biases(scores, counts, ridge=ridge, towards=towards)
    gradient = softmax_rows(scores + biases).sum(axis=0) - counts + ridge * (biases - towards)
    assert np.abs(gradient).max() < 1e-6


def test_labels_that_are_chosen_have_the_shares_that_were_asked_for() -> None:
    texts, _ = stream(5_000, (0.3, 0.5, 0.2), 1, (1.0, 0.0, -1.0))
    shares = np.array([0.15, 0.8, 0.05])
    biases = match_shares(texts.scores, shares, start=np.zeros(3))
    chosen = (texts.scores + biases).argmax(axis=1)
    assert total_variation(label_shares(chosen, 3), shares) < 0.005


def test_a_stream_of_other_shares_is_found_out_with_a_hundred_audits() -> None:
    texts, truth = stream(10_000, (0.2, 0.7, 0.1), 2, (1.0, 0.0, 0.0))
    audited = np.arange(10_000) < 100
    biases = fit_decision(texts.part(audited), truth[audited], texts)
    true = label_shares(truth, 3)
    own = total_variation(label_shares(texts.probabilities.argmax(axis=1), 3), true)
    assert own > 0.1
    assert total_variation(label_shares(biases.choose(texts), 3), true) < 0.05


def test_a_rule_is_drawn_to_the_stream_and_the_more_so_the_fewer_audits_it_has() -> None:
    texts, truth = stream(400, (0.3, 0.5, 0.2), 3, (0.0, 0.0, 0.0))
    other, other_truth = stream(400, (0.8, 0.1, 0.1), 4, (0.0, 0.0, 0.0))
    both = np.concatenate([texts.probabilities, other.probabilities])
    labels = np.concatenate([truth, other_truth])

    def distance(audits_of_rule: int) -> float:
        kept = np.arange(800) < 400 + audits_of_rule
        rules = [("anger",) if number >= 400 else ("calm",) for number in range(800)]
        every = Texts(both, rules)
        fitted = fit_decision(every.part(kept), labels[kept], every, rules=["anger"])
        return float(np.abs(fitted.by_rule["anger"] - fitted.whole).max())

    few, many = distance(10), distance(400)
    assert 0 < few < many
    assert many > 0.4


def test_rules_get_biases_only_with_enough_audits_and_not_where_all_match() -> None:
    rules = [("all", "most", "most") if number < 40 else ("all", "few") for number in range(45)]
    assert rules_to_fit(Texts(np.full((45, 3), 1 / 3), rules)) == ["most"]


@given(st.integers(0, 100))
def test_what_was_fitted_is_what_the_stream_gets(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.dirichlet([0.5, 0.5, 0.5], size=30).round(6)
    rules = [[("a",), ("b",), ("a", "b"), ()][number % 4] for number in range(30)]
    whole, a, b = (tuple(random.normal(size=3).round(6).tolist()) for _ in range(3))
    biases = Biases(np.array(whole), {"a": np.array(a), "b": np.array(b)})
    chosen = biases.choose(Texts(rows, rules))
    applied = decision(biases=whole, by_rule={"a": a, "b": b})
    for row, matched, column in zip(rows.tolist(), rules, chosen, strict=True):
        label, _ = decide(dict(zip(LABELS, row, strict=True)), matched, applied)
        assert label == LABELS[column]


def columns(text: str) -> "np.typing.NDArray[np.int64]":
    return np.array([int(character) for character in text], dtype=np.int64)


def test_figures_by_hand() -> None:
    figures = figures_of_decision(columns("0011"), columns("0000"), columns("0111"), 2)
    assert (figures.accuracy.own, figures.accuracy.decided) == (0.5, 0.75)
    assert (figures.macro_recall.own, figures.macro_recall.decided) == (0.5, 0.75)
    assert (figures.share_error.own, figures.share_error.decided) == (0.5, 0.25)
    assert figures.share_error.gain == 0.25
    low, high = figures.share_error.low, figures.share_error.high
    assert low is not None
    assert high is not None
    assert low <= 0.25 <= high


def gain(value: float, low: float, high: float) -> Gain:
    return Gain(own=0.5, decided=0.5, gain=value, low=low, high=high)


def test_a_decision_is_refused_where_it_is_worse_and_the_figure_is_named() -> None:
    better = figures_of_decision(columns("0011"), columns("0000"), columns("0011"), 2)
    assert refusal(better, columns("0011"), columns("0000")) is None
    worse = figures_of_decision(columns("0011"), columns("0011"), columns("0000"), 2)
    same = columns("0011")
    risen = "error of the shares would rise from 0.000 to 0.500"
    assert risen in (refusal(worse, same, same) or "")
    swapped = figures_of_decision(columns("01" * 30), columns("01" * 30), columns("10" * 30), 2)
    sentence = refusal(swapped, columns("01" * 30), columns("01" * 30)) or ""
    assert "accuracy would fall from 1.000 to 0.000" in sentence
    assert "95 % interval -1.000 to -1.000" in sentence


def test_a_stream_that_the_model_already_knows_gets_no_decision_of_noise() -> None:
    texts, _ = stream(5_000, (0.3, 0.5, 0.2), 5, (0.0, 0.0, 0.0))
    own = texts.probabilities.argmax(axis=1)
    audited = np.arange(5_000) < 60
    folds = folds_of([str(number) for number in range(60)])
    decided = cross_fitted(texts.part(audited), own[audited], folds, texts, rules=())
    figures = figures_of_decision(own[audited], own[audited], decided, 3)
    assert refusal(figures, own[audited], own[audited]) is not None


def test_a_difference_that_chance_explains_is_not_mended_and_a_large_one_is() -> None:
    # Of 60 texts five differ, one net; then fifteen net.
    truth, far = columns("0" * 30 + "1" * 30), columns("0" * 15 + "1" * 45)
    near = columns("0" * 27 + "111" + "00" + "1" * 28)
    better = figures_of_decision(truth, far, truth, 2)
    assert refusal(better, truth, far) is None
    few = figures_of_decision(truth, near, truth, 2)
    assert "not shown to be wrong: 60 audits differ as much by chance" in (
        refusal(few, truth, near) or ""
    )


def test_folds_are_of_the_ids_and_about_even() -> None:
    ids = [str(number) for number in range(1_000)]
    folds = folds_of(ids)
    assert list(folds_of(ids[::-1])) == list(folds[::-1])
    assert min(np.bincount(folds)) > 60
