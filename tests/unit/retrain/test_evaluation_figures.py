"""Figures are what their definitions say, and their intervals what resampling says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support, recall_score

from model_server.bundle import default_bundle, open_bundle
from retrain.evaluation.bootstrap import figure, resampled_sums
from retrain.evaluation.evaluate import evaluate, figures_alone
from retrain.evaluation.figures import (
    Figures,
    bins_of,
    confusion,
    figures_of,
    sums_of_each_text,
    totals_of,
)
from retrain.evaluation.predictions import Answers

LABELS = ("negative", "neutral", "positive")


def answers(truth: list[int], chosen: list[int], confidence: float | list[float] = 0.6) -> Answers:
    """Return answers that choose these labels, with these confidences."""
    rows = np.empty((len(truth), len(LABELS)))
    sure = np.broadcast_to(confidence, len(truth))
    rows[:] = ((1 - sure) / (len(LABELS) - 1))[:, None]
    rows[np.arange(len(truth)), chosen] = sure
    return Answers.of(LABELS, np.array(truth, dtype=np.int64), rows)


def figures(found: Answers) -> Figures:
    return figures_of(np.asarray(sums_of_each_text(found).sum(axis=0)).ravel(), found.labels)


pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60)


@given(pairs)
def test_figures_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, chosen = (list(part) for part in zip(*pairs, strict=True))
    found = figures(answers(truth, chosen))
    given_labels = sorted(set(truth))
    how = {"labels": given_labels, "average": "macro", "zero_division": 0.0}
    assert found.macro_recall == pytest.approx(recall_score(truth, chosen, **how))
    assert found.macro_f1 == pytest.approx(f1_score(truth, chosen, **how))
    assert found.accuracy == pytest.approx(accuracy_score(truth, chosen))
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, chosen, labels=range(3), zero_division=np.nan
    )
    for ours, theirs in ((found.precision, precision), (found.recall, recall), (found.f1, f1)):
        assert np.allclose(ours, theirs, equal_nan=True)
    assert confusion(answers(truth, chosen)).sum() == len(pairs)


@given(pairs, st.floats(0.34, 1))
def test_totals_are_the_sums_of_each_text(pairs: list[tuple[int, int]], sure: float) -> None:
    truth, chosen = (list(part) for part in zip(*pairs, strict=True))
    found = answers(truth, chosen, sure)
    assert totals_of(found) == pytest.approx(
        np.asarray(sums_of_each_text(found).sum(axis=0)).ravel()
    )


def test_the_poles_are_the_mean_f1_of_positive_and_negative_where_there_are_such() -> None:
    found = figures(answers([0, 0, 1, 2, 2], [0, 1, 1, 2, 0]))
    assert found.f1_poles == pytest.approx((0.5 + 2 / 3) / 2)
    others = Answers.of(("anger", "joy", "sadness"), np.array([0]), np.array([[0.5, 0.3, 0.2]]))
    assert figures(others).f1_poles is None
    assert "f1_positive_negative" not in figures(others).headline()


def test_calibration_error_is_the_distance_of_confidence_and_accuracy_by_bins() -> None:
    # Ten texts at .95, nine right: .05 apart. Ten at .45, none right: .45 apart.
    truth = [0] * 20
    chosen = [0] * 9 + [1] + [1] * 10
    found = figures(answers(truth, chosen, [0.95] * 10 + [0.45] * 10))
    assert found.calibration_error == pytest.approx((0.05 + 0.45) / 2)


def test_every_confidence_has_a_bin() -> None:
    assert bins_of(np.array([1e-9, 1 / 15, 1 / 15 + 1e-9, 0.5, 1.0])).tolist() == [0, 0, 1, 7, 14]


@given(pairs, st.integers(0, 1_000))
def test_a_resample_has_the_figures_of_the_texts_that_were_drawn(
    pairs: list[tuple[int, int]], seed: int
) -> None:
    truth, chosen = (list(part) for part in zip(*pairs, strict=True))
    sure = np.linspace(0.5, 1, len(pairs)).tolist()
    found = answers(truth, chosen, sure)
    (sums,) = resampled_sums([sums_of_each_text(found)], resamples=3, seed=seed)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(pairs), size=(3, len(pairs)))
    for number, places in enumerate(drawn):
        again = answers(
            [truth[n] for n in places], [chosen[n] for n in places], [sure[n] for n in places]
        )
        expected = figures(again).headline()
        resampled = figures_of(sums[number], LABELS).headline()
        assert resampled.keys() == expected.keys()
        for name, value in expected.items():
            assert np.allclose(resampled[name], value, equal_nan=True)


def test_an_interval_is_as_wide_as_theory_says() -> None:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, 2_000)
    wrong = rng.random(2_000) < 0.3
    chosen = np.where(wrong, (truth + 1) % 3, truth)
    accuracy = figures_alone(answers(truth.tolist(), chosen.tolist()), seed=1)[0]["accuracy"]
    assert accuracy.value is not None
    assert accuracy.low is not None
    assert accuracy.high is not None
    half = 1.96 * np.sqrt(accuracy.value * (1 - accuracy.value) / 2_000)
    assert (accuracy.high - accuracy.low) / 2 == pytest.approx(half, rel=0.15)


def test_a_figure_of_nothing_is_none_and_an_interval_holds_its_figure() -> None:
    nothing = figure(float("nan"), np.array([np.nan]))
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)
    biased = figure(0.01, np.linspace(0.02, 0.03, 100))
    assert (biased.low, biased.value) == (0.01, 0.01)


def test_the_same_answers_differ_by_nothing_and_better_ones_are_better_every_time() -> None:
    bundle = open_bundle(default_bundle())
    truth = [n % 3 for n in range(300)]
    half_right = answers(truth, [t if n % 2 else (t + 1) % 3 for n, t in enumerate(truth)])
    right = answers(truth, truth)
    found = evaluate(
        [(bundle, half_right), (bundle, half_right), (bundle, right)],
        labels_file="x",
        faults={},
        seed=1,
        resamples=200,
    )
    same, better = found.differences
    assert all((f.value, f.low, f.high) == (0, 0, 0) for f in same.figures.values())
    assert set(same.share_better.values()) == {0.5}
    assert better.share_better["macro_recall"] == 1.0
    # .4 of unearned doubt on the one, .1 of unearned trust on the other: less error is better.
    assert better.share_better["calibration_error"] == 0.0
    assert better.figures["accuracy"].value == pytest.approx(0.5)


def test_the_same_seed_gives_the_same_intervals() -> None:
    found = answers([0, 1, 2] * 40, [0, 1, 1] * 40)
    assert figures_alone(found, seed=3) == figures_alone(found, seed=3)
    assert figures_alone(found, seed=3)[0] != figures_alone(found, seed=4)[0]
