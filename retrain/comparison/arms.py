"""Two models that share a stream by the tweets' ids, compared as two samples of it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from retrain.comparison.intervals import Z, difference_of_shares, mean, share
from retrain.evaluation.bootstrap import Figure

ALL_RULES: Final = ""


class ArmCounts(Struct, frozen=True):
    """How often an arm's model gives a label, among all tweets (rule empty) or those of a rule."""

    arm: str
    rule: str
    label: str
    tweets: int
    confidence: float
    squared_confidence: float


class ArmAudits(Struct, frozen=True):
    """The audits of an arm's tweets, and those in which its model is right."""

    arm: str
    audits: int
    right: int


class ArmModel(Struct, frozen=True, kw_only=True):
    """An arm, its model, and what it answered; `accuracy` is of its audits."""

    arm: str
    sha256: str
    model: str
    tweets: int
    confidence: Figure
    audits: int
    accuracy: Figure


class ArmShares(Struct, frozen=True, kw_only=True):
    """A label's share in both arms, with the change from champion to challenger."""

    rule: str
    label: str
    champion: Figure
    challenger: Figure
    change: Figure


class ArmsComparison(Struct, frozen=True, kw_only=True):
    """Champion and challenger, each on its own tweets. Retweets are left out."""

    run: str
    champion: ArmModel
    challenger: ArmModel
    confidence_change: Figure
    accuracy_change: Figure
    shares: tuple[ArmShares, ...]


def compare_arms(
    run: str,
    models: Mapping[str, tuple[str, str]],
    counts: Iterable[ArmCounts],
    audits: Iterable[ArmAudits],
    *,
    arms: tuple[str, str],
) -> ArmsComparison:
    """Compare `arms` (champion, challenger); `models` has hash and name of each."""
    listed = list(counts)
    of_arm = {each.arm: each for each in audits}
    champion, challenger = (
        _arm(arm, models[arm], [c for c in listed if c.arm == arm], of_arm.get(arm)) for arm in arms
    )
    return ArmsComparison(
        run=run,
        champion=champion,
        challenger=challenger,
        confidence_change=_difference_of_means(champion.confidence, challenger.confidence),
        accuracy_change=difference_of_shares(champion.accuracy, challenger.accuracy),
        shares=tuple(_shares(listed, arms)),
    )


def _arm(
    arm: str, model: tuple[str, str], counts: list[ArmCounts], audits: ArmAudits | None
) -> ArmModel:
    overall = [each for each in counts if each.rule == ALL_RULES]
    tweets = sum(each.tweets for each in overall)
    audited = audits or ArmAudits(arm, 0, 0)
    return ArmModel(
        arm=arm,
        sha256=model[0],
        model=model[1],
        tweets=tweets,
        confidence=mean(
            sum(each.confidence for each in overall),
            sum(each.squared_confidence for each in overall),
            tweets,
        ),
        audits=audited.audits,
        accuracy=share(audited.right, audited.audits),
    )


def _shares(counts: list[ArmCounts], arms: tuple[str, str]) -> Iterable[ArmShares]:
    numbers = {(each.rule, each.label, each.arm): each.tweets for each in counts}
    totals: dict[tuple[str, str], int] = {}
    for each in counts:
        totals[each.rule, each.arm] = totals.get((each.rule, each.arm), 0) + each.tweets
    for rule, label in sorted({(each.rule, each.label) for each in counts}):
        champion, challenger = (
            share(numbers.get((rule, label, arm), 0), totals.get((rule, arm), 0)) for arm in arms
        )
        yield ArmShares(
            rule=rule,
            label=label,
            champion=champion,
            challenger=challenger,
            change=difference_of_shares(champion, challenger),
        )


def _difference_of_means(first: Figure, second: Figure) -> Figure:
    if first.value is None or first.high is None or second.value is None or second.high is None:
        return Figure(value=None, low=None, high=None)
    value = second.value - first.value
    errors = ((first.high - first.value) / Z, (second.high - second.value) / Z)
    half = Z * (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    return Figure(value=round(value, 6), low=round(value - half, 6), high=round(value + half, 6))
