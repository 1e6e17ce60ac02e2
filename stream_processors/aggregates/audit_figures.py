"""Audits and counts of some tweets to their figures. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date
from typing import Final

import numpy as np

from stream_processors.aggregates import audit_weights
from stream_processors.aggregates.aggregates import (
    Audited,
    AuditFigures,
    Grouped,
    Interval,
    LabelShare,
    RuleFigures,
)
from stream_processors.aggregates.audit_rows import AuditRow
from stream_processors.aggregates.audited_share import (
    LEAST_AUDITS,
    Audits,
    Estimate,
    Floats,
    audited_share,
    audits_wanted,
    labels_alone,
    uniform_audits,
)
from stream_processors.aggregates.sum_rollups import DayCount

_DIGITS: Final = 6


def rules_with_audits(audits: Collection[AuditRow]) -> list[str]:
    """Return the rules that some audited tweet matches, sorted."""
    return sorted({rule for audit in audits for rule in audit.rules})


def all_audited(
    by_label: Mapping[str, int],
    rules: Sequence[Grouped],
    audits: Sequence[AuditRow],
    days: Sequence[DayCount],
) -> AuditFigures:
    """Return the figures of all tweets; where rules were audited more densely, that is mended.

    `by_label` counts all tweets by the model's label, `rules` those of each rule; `days` may be
    empty where nothing is audited.
    """
    of_rules = {rule.name: rule.tweets for rule in rules}
    return audit_figures(audits, by_label, _tweets_by_day(days, ""), of_rules)


def rules_audited(
    rules: Sequence[Grouped], audits: Sequence[AuditRow], days: Sequence[DayCount]
) -> list[RuleFigures]:
    """Return each rule with the figures of its tweets."""
    found: dict[str, list[AuditRow]] = defaultdict(list)
    for audit in audits:
        for rule in audit.rules:
            found[rule].append(audit)
    return [
        RuleFigures(
            name=rule.name,
            tweets=rule.tweets,
            by_label=rule.by_label,
            audit=audit_figures(
                found.get(rule.name, []), rule.by_label, _tweets_by_day(days, rule.name), {}
            ),
        )
        for rule in rules
    ]


def _tweets_by_day(days: Sequence[DayCount], rule: str) -> dict[date, int]:
    return {count.day: count.tweets for count in days if count.rule == rule}


def audit_figures(
    audits: Sequence[AuditRow],
    by_label: Mapping[str, int],
    tweets_by_day: Mapping[date, int],
    tweets_by_rule: Mapping[str, int],
) -> AuditFigures:
    """Return the figures of some tweets.

    `by_label` counts all of them by the model's label, `tweets_by_day` by their day in UTC (empty
    where nothing is audited), `tweets_by_rule` those of each rule; leave that empty where the
    tweets are those of one rule.
    """
    decided = [audit for audit in audits if audit.person is not None]
    tweets = sum(by_label.values())
    labels = sorted(
        {label for label, count in by_label.items() if count > 0}
        | {str(audit.person) for audit in decided},
        key=lambda label: (-by_label.get(label, 0), label),
    )
    counted = {label: by_label.get(label, 0) / tweets if tweets else 0.0 for label in labels}
    # Where there are fewer tweets, all of them are audited: that is people's own count.
    least = min(LEAST_AUDITS, tweets) or LEAST_AUDITS
    weighted, missing = _weighted(decided, least, tweets_by_day, tweets_by_rule)
    enough = weighted is not None and not missing
    state = Audited.YES if enough else Audited.TOO_FEW if decided else Audited.NO
    return AuditFigures(
        audited=state,
        audits=len(decided),
        audits_missing=missing,
        audits_missing_for_3_points=_missing_for_3_points(decided, weighted, labels, tweets),
        audited_days=len({_day(audit) for audit in decided}),
        days=sum(count > 0 for count in tweets_by_day.values()) if decided else None,
        labels=[
            _label_share(label, counted[label], decided, weighted if enough else None)
            for label in labels
        ],
        accuracy=_accuracy(decided, weighted) if weighted and enough else None,
        agreement=_agreement(audits),
    )


def _weighted(
    decided: Sequence[AuditRow],
    least: int,
    tweets_by_day: Mapping[date, int],
    tweets_by_rule: Mapping[str, int],
) -> tuple[Audits | None, int]:
    """Return the weighted audits and how many are missing until shares are corrected."""
    if not decided:
        return None, least
    missing = max(0, least - len(decided))
    weighted = audit_weights.by_day([_day(audit) for audit in decided], tweets_by_day)
    inside = {
        rule: np.array([rule in audit.rules for audit in decided], dtype=np.bool_)
        for rule in rules_with_audits(decided)
    }
    try:
        return audit_weights.raked(weighted, inside, tweets_by_rule), missing
    except audit_weights.TooFewOutside as error:
        return weighted, max(missing, error.missing)


def _label_share(
    label: str, counted: float, decided: Sequence[AuditRow], weighted: Audits | None
) -> LabelShare:
    if weighted is None:
        return LabelShare(label=label, counted=_rounded(counted), audited=None, recall=None)
    people, model = _indicators(label, decided)
    share = audited_share(people, model, weighted, counted)
    of_label = people == 1
    recall = None
    if of_label.any():
        estimate = labels_alone(model[of_label], Audits(weighted.tweets_each[of_label]))
        recall = _interval(estimate, int(of_label.sum()))
    return LabelShare(
        label=label,
        counted=_rounded(counted),
        audited=_interval(share, len(decided)),
        recall=recall,
    )


def _accuracy(decided: Sequence[AuditRow], weighted: Audits) -> Interval:
    right = np.array([audit.person == audit.model for audit in decided], dtype=np.float64)
    return _interval(labels_alone(right, weighted), len(decided))


def _agreement(audits: Sequence[AuditRow]) -> Interval | None:
    pairs = [audit for audit in audits if audit.people > 1]
    if not pairs:
        return None
    agreeing = np.array([audit.agreeing / (audit.people * (audit.people - 1)) for audit in pairs])
    # Whoever labels is one of many who might have: the tweets are no sample without return.
    estimate = labels_alone(agreeing, uniform_audits(len(pairs), len(pairs) * 1_000_000))
    return _interval(estimate, len(pairs))


def _missing_for_3_points(
    decided: Sequence[AuditRow], weighted: Audits | None, labels: Sequence[str], tweets: int
) -> int:
    if not tweets:
        return LEAST_AUDITS
    if weighted is None:
        # As if a label had half of the tweets: nothing is known yet that would ask for less.
        nothing = np.array([0.0, 1.0])
        return audits_wanted(nothing, np.zeros(2), uniform_audits(2, max(tweets, 2)))
    wanted = max(audits_wanted(*_indicators(label, decided), weighted) for label in labels)
    # Unequal weights tell less: so many of these audits are worth one of a uniform sample.
    return max(0, round(wanted * len(decided) / weighted.effective) - len(decided))


def _indicators(label: str, decided: Sequence[AuditRow]) -> tuple[Floats, Floats]:
    return (
        np.array([audit.person == label for audit in decided], dtype=np.float64),
        np.array([audit.model == label for audit in decided], dtype=np.float64),
    )


def _interval(estimate: Estimate, audits: int) -> Interval:
    return Interval(
        share=_rounded(estimate.share),
        low=_rounded(estimate.low),
        high=_rounded(estimate.high),
        audits=audits,
    )


def _rounded(share: float) -> float:
    return round(share, _DIGITS)


def _day(audit: AuditRow) -> date:
    return audit.posted_at.astimezone(UTC).date()
