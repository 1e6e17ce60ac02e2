"""The gate: what is better by more than chance passes, what is not does not."""

import numpy as np
import pytest

from retrain.evaluation.predictions import Answers
from retrain.promotion.promotion_gate import (
    GateLimits,
    GateVerdict,
    PairedAnswers,
    judge_challenger,
)

LABELS = ("negative", "neutral", "positive")
LIMITS = GateLimits()


def answers(truth: "np.ndarray[tuple[int], np.dtype[np.int64]]", right: object) -> Answers:
    agreed = np.asarray(right, dtype=bool)
    predicted = np.where(agreed, truth, (truth + 1) % 3)
    return Answers(LABELS, truth, predicted, np.where(agreed, 0.75, 0.65))


def pair(
    texts: int, *, gained: float, lost: float, seed: int = 1, accuracy: float = 0.7
) -> PairedAnswers:
    """Return answers of which the challenger gains and loses these shares of the texts."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, texts)
    champion = rng.random(texts) < accuracy
    chosen = rng.random(texts)
    challenger = np.where(champion, chosen >= lost / accuracy, chosen < gained / (1 - accuracy))
    ids = [str(number) for number in range(texts)]
    return PairedAnswers(ids, answers(truth, champion), answers(truth, challenger))


def judged(
    audits: PairedAnswers, standing: PairedAnswers | None = None, refusals: tuple[str, ...] = ()
) -> GateVerdict:
    return judge_challenger(audits, standing, limits=LIMITS, refusals=refusals, resamples=400)


def broken(verdict: GateVerdict) -> list[str]:
    return [rule.name for rule in verdict.rules if not rule.passed]


def test_a_clearly_better_challenger_passes() -> None:
    audits = pair(2_000, gained=0.08, lost=0.03)
    verdict = judged(audits, pair(4_000, gained=0.05, lost=0.05))
    assert verdict.passed
    assert (verdict.audits, verdict.audits_missing) == (2_000, 0)
    different = audits.champion.predicted != audits.challenger.predicted
    assert verdict.differing_ids == [str(place) for place in np.flatnonzero(different)]


def test_what_is_better_by_chance_alone_does_not_pass_and_says_how_many_audits_are_missing() -> (
    None
):
    verdict = judged(pair(600, gained=0.07, lost=0.055, seed=3))
    assert broken(verdict) == ["better on the audits"]
    assert verdict.audits_missing is not None
    assert verdict.audits_missing > 500


def test_what_is_worse_needs_no_more_audits() -> None:
    verdict = judged(pair(2_000, gained=0.03, lost=0.06))
    assert not verdict.passed
    assert verdict.audits_missing is None


@pytest.mark.parametrize("audits", [0, 499])
def test_with_too_few_audits_nothing_passes(audits: int) -> None:
    verdict = judged(pair(audits, gained=0.3, lost=0.0))
    assert "enough audits" in broken(verdict)
    assert not verdict.passed
    assert verdict.audits_missing == 500 - audits


def test_what_is_worse_on_the_standing_set_does_not_pass() -> None:
    verdict = judged(pair(2_000, gained=0.08, lost=0.03), pair(4_000, gained=0.03, lost=0.05))
    assert broken(verdict) == ["not worse on the standing set"]


def test_a_label_may_not_be_given_up_for_the_others() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 3_000)
    champion = rng.random(3_000) < 0.7
    challenger = np.where(truth == 0, champion & (rng.random(3_000) < 0.8), True)
    ids = [str(number) for number in range(3_000)]
    audits = PairedAnswers(ids, answers(truth, champion), answers(truth, challenger))
    assert "recall of negative" in broken(judged(audits))


def test_what_the_export_has_against_a_bundle_counts() -> None:
    verdict = judged(pair(2_000, gained=0.08, lost=0.03), refusals=("too large",))
    assert broken(verdict) == ["sound bundle"]
    assert not verdict.passed


def test_the_same_seed_gives_the_same_verdict() -> None:
    audits = pair(600, gained=0.07, lost=0.05)
    assert judged(audits) == judged(audits)


@pytest.mark.parametrize(
    ("gained", "lost", "fewest", "most"),
    [(0.05, 0.05, 0, 5), (0.045, 0.055, 0, 3), (0.07, 0.04, 25, 40)],
    ids=["equal", "one point worse", "three points better"],
)
def test_how_often_each_kind_passes_over_40_draws(
    gained: float, lost: float, fewest: int, most: int
) -> None:
    passed = sum(
        judged(pair(1_000, gained=gained, lost=lost, seed=seed)).passed for seed in range(40)
    )
    assert fewest <= passed <= most
