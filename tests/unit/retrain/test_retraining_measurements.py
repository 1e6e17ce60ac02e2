"""What the measurements of renewal make of answers: a short form, on answers that are made up."""

import numpy as np
import pytest

from retrain.datasets.rows import LabelledText
from retrain.evaluation.predictions import Answers, Indices
from retrain.promotion.promotion_gate import GateLimits
from tests.retraining.by_year import compared, is_audited, joined
from tests.retraining.gate_trials import KINDS, Contest, better_by, keeps, kinds_of, verdicts
from tests.retraining.trained_bundles import LABELS

TEXTS = 6_000
ONE_TEXT = 1 / (0.9 * TEXTS / 3)
"""More than what one text of any label adds to macro-recall."""


def truth() -> Indices:
    return np.random.default_rng(0).integers(0, 3, TEXTS)


def model(accuracy: float, seed: int) -> Answers:
    rng = np.random.default_rng(seed)
    right = rng.random(TEXTS) < accuracy
    labels = truth()
    predicted = np.where(right, labels, (labels + rng.integers(1, 3, TEXTS)) % 3)
    return Answers(LABELS, labels, predicted, np.full(TEXTS, accuracy))


CHAMPION = model(0.68, 1)
MODELS = [model(accuracy, seed) for seed, accuracy in enumerate((0.64, 0.68, 0.74), start=2)]


@pytest.mark.parametrize("wanted", [-0.01, 0.0, 0.03])
def test_a_challenger_is_better_by_what_was_wanted(wanted: float) -> None:
    contest = better_by(CHAMPION, MODELS, wanted, seed=1)
    assert contest.better_by == pytest.approx(wanted, abs=ONE_TEXT)
    # Not the champion with some answers put right: another model altogether.
    assert contest.differing > 0.4


def test_without_models_on_both_sides_there_is_no_such_challenger() -> None:
    with pytest.raises(ValueError, match="no two models"):
        better_by(CHAMPION, MODELS, 0.2, seed=1)


def test_the_gate_lets_much_better_ones_in_and_worse_ones_not() -> None:
    def passed(wanted: float) -> int:
        contest = better_by(CHAMPION, MODELS, wanted, seed=1)
        judged = verdicts(
            contest, contest, 1_000, 20, GateLimits(), standing_texts=1_000, resamples=200
        )
        return sum(verdict.passed for verdict in judged)

    assert passed(0.055) >= 10
    assert passed(-0.01) == 0


def test_each_trial_draws_its_own_texts_and_the_same_ones_again() -> None:
    contest = Contest(CHAMPION, MODELS[2])

    def values() -> list[float | None]:
        judged = verdicts(contest, contest, 500, 3, GateLimits(), standing_texts=500, resamples=50)
        return [verdict.rules[2].value for verdict in judged]

    assert len(set(values())) == 3
    assert values() == values()


def test_what_was_asked_is_held_against_the_passes() -> None:
    flipped, better = KINDS[0], KINDS[-1]
    assert keeps(flipped, 1_000, 2, 100)
    assert not keeps(flipped, 1_000, 3, 100)
    assert keeps(better, 2_000, 85, 100)
    assert not keeps(better, 2_000, 84, 100)
    assert keeps(better, 500, 0, 100)


def test_kinds_that_no_two_models_stand_around_are_left_out() -> None:
    models = {"worse": MODELS[0], "twin": MODELS[1]}
    every = np.arange(TEXTS)
    kinds = kinds_of(CHAMPION, models, ["twin"], [every[:3_000], every[3_000:]])
    assert [kind.name for kind in kinds if kind.better_by != 0.0] == ["twin", "1 point worse"]


def test_the_audited_share_is_drawn_by_ids_alone() -> None:
    rows = [LabelledText(str(number), "a text", "neutral", number) for number in range(4_000)]
    audited = [is_audited(row, 0.5) for row in rows]
    assert sum(audited) == pytest.approx(2_000, abs=150)
    assert all(is_audited(row, 0.7) for row, before in zip(rows, audited, strict=True) if before)


def test_what_is_won_stands_in_its_interval_and_is_that_of_all_parts() -> None:
    figures = compared(joined([CHAMPION, CHAMPION]), joined([MODELS[2], MODELS[2]]))
    before, after, won = figures["accuracy"]
    assert (before, after) == (CHAMPION.agreed.mean(), MODELS[2].agreed.mean())
    low, value, high = won.low or 0.0, won.value or 0.0, won.high or 0.0
    assert value == pytest.approx(after - before, abs=1e-6)
    assert 0 < low < value < high
