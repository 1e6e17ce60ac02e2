"""Two models on the same tweets: figures that can be computed by hand, and intervals that hold."""

import numpy as np
import pytest
from scipy import stats

from retrain.comparison.intervals import difference_of_shares, mcnemar, mean, share
from retrain.comparison.paired import (
    FEWEST_LABELS,
    ConfidenceSums,
    LabelledFlip,
    PairCounts,
    PairedComparison,
    compare_pairs,
)

SUMS = ConfidenceSums(serving=80.0, challenger=85.0, difference=5.0, squared_difference=1.0)


def compared(
    counts: list[PairCounts], labelled: list[LabelledFlip] | None = None
) -> PairedComparison:
    return compare_pairs(
        run="archive",
        model_sha256="a" * 64,
        challenger_sha256="b" * 64,
        challenger="b 1",
        counts=counts,
        confidence=SUMS,
        labelled=labelled or [],
    )


def test_flips_and_paired_changes_of_shares_are_counted_for_all_tweets_and_by_rule() -> None:
    found = compared(
        [
            PairCounts("", "good", "good", 60),
            PairCounts("", "good", "bad", 10),
            PairCounts("", "bad", "bad", 30),
            PairCounts("cats", "good", "bad", 5),
            PairCounts("cats", "bad", "good", 5),
        ]
    )
    assert (found.tweets, found.flips, found.flip_share.value) == (100, 10, 0.1)
    assert found.confidence_change.value == pytest.approx(0.05)
    overall = {each.label: each for each in found.shares if each.rule == ""}
    assert (overall["bad"].share, overall["bad"].challenger_share) == (0.3, 0.4)
    assert overall["bad"].change.value == pytest.approx(0.1)
    cats = {each.label: each for each in found.shares if each.rule == "cats"}
    assert cats["bad"].change.value == 0
    # What moves to and fro leaves the share, and widens its interval.
    assert cats["bad"].change.low is not None
    assert cats["bad"].change.low < -0.5


def test_few_labels_tell_no_difference_and_how_many_are_missing() -> None:
    flips = [LabelledFlip("good", "bad", "bad")] * (FEWEST_LABELS - 1)
    found = compared([PairCounts("", "good", "bad", 100)], flips).labelled_flips
    assert (found.accuracy_change.value, found.missing) == (None, 1)
    assert found.weight == pytest.approx(100 / 19, abs=0.001)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (3, 3), (10, 25), (0, 40), (400, 460)])
def test_mcnemar_is_the_exact_binomial_test(one: int, other: int) -> None:
    expected = stats.binomtest(one, one + other, 0.5).pvalue
    assert mcnemar(one, other) == pytest.approx(expected, abs=1e-6)
    assert mcnemar(0, 0) is None


def test_shares_and_means_have_the_intervals_of_their_sources() -> None:
    found = share(30, 100)
    low, high = stats.binomtest(30, 100).proportion_ci(method="wilson")
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-5)
    # Newcombe's own example: 56/70 and 48/80 differ by .2, .0524 to .3339.
    gap = difference_of_shares(share(48, 80), share(56, 70))
    assert [gap.low, gap.high] == pytest.approx([0.0524, 0.3339], abs=1e-4)
    assert mean(0, 0, 0).value is None


def test_the_interval_of_the_accuracy_from_labelled_flips_holds_the_truth() -> None:
    rng = np.random.default_rng(7)
    tweets, disagree, challenger_right, serving_right = 5_000, 0.12, 0.55, 0.3
    truth = disagree * (challenger_right - serving_right)
    held = 0
    for _ in range(400):
        flips = int(rng.binomial(tweets, disagree))
        kinds = rng.choice(3, size=80, p=[challenger_right, serving_right, 0.15])
        labelled = [LabelledFlip("good", "bad", ("bad", "good", "so")[kind]) for kind in kinds]
        counts = [
            PairCounts("", "good", "bad", flips),
            PairCounts("", "good", "good", tweets - flips),
        ]
        figure = compared(counts, labelled).labelled_flips.accuracy_change
        assert figure.low is not None
        assert figure.high is not None
        held += figure.low <= truth <= figure.high
    assert 0.91 <= held / 400 <= 0.98
