"""Which rules changed between two spans: a label's share in them, and their share of all. Pure.

Both are compared by the log-odds of `what_changed.py`: the tweets with the label among those of a
rule, and the tweets of a rule among all.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct

from retrain.drift.what_changed import LEAST_Z, log_odds_z

_LEAST_TWEETS: Final = 3


class MovedRule(Struct, frozen=True, kw_only=True):
    """A rule with its tweets before and after, retweets included.

    `share_…` are its shares of all tweets, `label_share_…` those of the label among its own tweets;
    None where it has none. `z` is of the first, `label_z` of the second.
    """

    rule: str
    tweets_before: int
    tweets_after: int
    share_before: float
    share_after: float
    label_share_before: float | None
    label_share_after: float | None
    z: float
    label_z: float


ByRule = Mapping[str, Mapping[str, int]]
"""Tweets by rule, then by label; those of the empty rule are all tweets."""


def moved_rules(before: ByRule, after: ByRule, label: str, *, most: int) -> list[MovedRule]:
    """Return at most so many rules that moved by more than chance would move them.

    Those in which the label's share moved come first, then those that grew or shrank; each the
    largest |z| first, and rules alike by their names.
    """
    rules = sorted((before.keys() | after.keys()) - {""})
    tweets_before, tweets_after = (
        np.array([sum(span.get(rule, {}).values()) for rule in rules], dtype=np.float64)
        for span in (before, after)
    )
    with_label_before, with_label_after = (
        np.array([span.get(rule, {}).get(label, 0) for rule in rules], dtype=np.float64)
        for span in (before, after)
    )
    all_before, all_after = (sum(span.get("", {}).values()) for span in (before, after))
    z = log_odds_z(tweets_before, all_before, tweets_after, all_after)
    label_z = log_odds_z(with_label_before, tweets_before, with_label_after, tweets_after)
    moved = [
        MovedRule(
            rule=rule,
            tweets_before=int(tweets_before[place]),
            tweets_after=int(tweets_after[place]),
            share_before=float(tweets_before[place]) / max(all_before, 1),
            share_after=float(tweets_after[place]) / max(all_after, 1),
            label_share_before=_share(with_label_before[place], tweets_before[place]),
            label_share_after=_share(with_label_after[place], tweets_after[place]),
            z=float(z[place]),
            label_z=float(label_z[place]),
        )
        for place, rule in enumerate(rules)
        if max(abs(z[place]), abs(label_z[place])) >= LEAST_Z
        and tweets_before[place] + tweets_after[place] >= _LEAST_TWEETS
    ]
    return sorted(moved, key=_rank)[:most]


def _rank(rule: MovedRule) -> tuple[bool, float]:
    by_label = abs(rule.label_z) >= LEAST_Z
    return not by_label, -abs(rule.label_z if by_label else rule.z)


def _share(some: float, of: float) -> float | None:
    return float(some / of) if of else None
