"""Two models' answers to the same tweets, compared tweet by tweet. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from retrain.comparison.intervals import Z, mcnemar, mean, paired_difference, share
from retrain.evaluation.bootstrap import Figure

ALL_RULES: Final = ""
FEWEST_LABELS: Final = 20
"""Labelled disagreements below which no difference of accuracy is told."""


class PairCounts(Struct, frozen=True):
    """How often the serving model says `label` and the challenger says `challenger_label`."""

    rule: str
    label: str
    challenger_label: str
    tweets: int


class ConfidenceSums(Struct, frozen=True):
    """Sums over all pairs: confidences of both, and of the difference (challenger - serving)."""

    serving: float
    challenger: float
    difference: float
    squared_difference: float


class LabelledFlip(Struct, frozen=True):
    """A tweet on which both disagree, and what people say of it."""

    label: str
    challenger_label: str
    truth: str


class ShareComparison(Struct, frozen=True, kw_only=True):
    """A label's share among a rule's tweets (empty: all) by each model; `change` is paired."""

    rule: str
    label: str
    tweets: int
    share: float
    challenger_share: float
    change: Figure


class FlipsByLabel(Struct, frozen=True, kw_only=True):
    """How often one model says this and the other that; where both are equal, they agree."""

    label: str
    challenger_label: str
    tweets: int


class LabelledFlips(Struct, frozen=True, kw_only=True):
    """What people say where the models disagree.

    `weight` is how many disagreements each labelled one stands for. `accuracy_change` is of all
    compared tweets: where both agree, both are right or wrong together. It is None below
    `FEWEST_LABELS`, of which `missing` more are needed.
    """

    labelled: int
    serving_right: int
    challenger_right: int
    neither_right: int
    weight: float | None
    mcnemar_p: float | None
    accuracy_change: Figure
    missing: int


class PairedComparison(Struct, frozen=True, kw_only=True):
    """A challenger beside the model that served, on a sample of a run's tweets."""

    run: str
    model_sha256: str
    challenger_sha256: str
    challenger: str
    tweets: int
    flips: int
    flip_share: Figure
    confidence: float | None
    challenger_confidence: float | None
    confidence_change: Figure
    table: tuple[FlipsByLabel, ...]
    shares: tuple[ShareComparison, ...]
    labelled_flips: LabelledFlips


def compare_pairs(
    *,
    run: str,
    model_sha256: str,
    challenger_sha256: str,
    challenger: str,
    counts: Iterable[PairCounts],
    confidence: ConfidenceSums,
    labelled: Iterable[LabelledFlip],
) -> PairedComparison:
    """Compare; `counts` has the pairs of all tweets (rule empty) and of each rule.

    `labelled` must be a uniform sample of the disagreements.
    """
    by_rule: dict[str, dict[tuple[str, str], int]] = {}
    for each in counts:
        by_rule.setdefault(each.rule, {})[each.label, each.challenger_label] = each.tweets
    everything = by_rule.get(ALL_RULES, {})
    tweets = sum(everything.values())
    flips = sum(number for (one, other), number in everything.items() if one != other)
    return PairedComparison(
        run=run,
        model_sha256=model_sha256,
        challenger_sha256=challenger_sha256,
        challenger=challenger,
        tweets=tweets,
        flips=flips,
        flip_share=share(flips, tweets),
        confidence=round(confidence.serving / tweets, 6) if tweets else None,
        challenger_confidence=round(confidence.challenger / tweets, 6) if tweets else None,
        confidence_change=mean(confidence.difference, confidence.squared_difference, tweets),
        table=tuple(
            FlipsByLabel(label=one, challenger_label=other, tweets=number)
            for (one, other), number in sorted(everything.items())
        ),
        shares=tuple(
            comparison
            for rule, pairs in sorted(by_rule.items())
            for comparison in _shares(rule, pairs)
        ),
        labelled_flips=_labelled(list(labelled), flips, tweets),
    )


def _shares(rule: str, pairs: Mapping[tuple[str, str], int]) -> Iterable[ShareComparison]:
    tweets = sum(pairs.values())
    before, after, gained, lost = (Counter[str]() for _ in range(4))
    for (one, other), number in pairs.items():
        before[one] += number
        after[other] += number
        if one != other:
            lost[one] += number
            gained[other] += number
    for label in sorted(before.keys() | after.keys()):
        yield ShareComparison(
            rule=rule,
            label=label,
            tweets=tweets,
            share=round(before[label] / tweets, 6),
            challenger_share=round(after[label] / tweets, 6),
            change=paired_difference(gained[label], lost[label], tweets),
        )


def _labelled(labelled: list[LabelledFlip], flips: int, tweets: int) -> LabelledFlips:
    serving = sum(each.truth == each.label for each in labelled)
    challenger = sum(each.truth == each.challenger_label for each in labelled)
    count = len(labelled)
    enough = count >= FEWEST_LABELS
    return LabelledFlips(
        labelled=count,
        serving_right=serving,
        challenger_right=challenger,
        neither_right=count - serving - challenger,
        weight=round(flips / count, 3) if count else None,
        mcnemar_p=mcnemar(serving, challenger),
        accuracy_change=_accuracy_change(serving, challenger, count, flips, tweets)
        if enough
        else Figure(value=None, low=None, high=None),
        missing=0 if enough else FEWEST_LABELS - count,
    )


def _accuracy_change(
    serving: int, challenger: int, labelled: int, flips: int, tweets: int
) -> Figure:
    """Return P(disagree) * mean gain where they disagree, each with its own variance.

    Each labelled disagreement stands for flips / labelled of them; that is the inverse of the
    chance with which it came before a person.
    """
    disagree = flips / tweets
    gain = (challenger - serving) / labelled
    variance_of_gain = max(0.0, (challenger + serving) / labelled - gain**2) / labelled
    left = 1 - labelled / flips if flips > labelled else 0.0
    variance = disagree**2 * variance_of_gain * left + gain**2 * disagree * (1 - disagree) / tweets
    value, half = disagree * gain, Z * math.sqrt(variance)
    return Figure(value=round(value, 6), low=round(value - half, 6), high=round(value + half, 6))
