"""How many tweets each audit stands for, where audits are denser on some days or of some rules.

Pure. Audits are drawn by day and by rule: within a day and a rule they are uniform, over both they
need not be. Days are post-stratified: an audit of a day stands for its day's tweets divided by its
audits. So that no stratum rests on a handful, days are joined with their neighbours until each
stratum has 10 audits. Then rules are raked (Deming and Stephan 1940): the weights inside of a rule
and outside of it are scaled to the tweets that are inside and outside.

What is assumed: within a stratum the model errs on tweets that were not audited as on those that
were; a day without audits is like its neighbours in time. Where a tweet of a rule was drawn for
another rule that it matches too, the figures of the first rule hold that tweet as any other.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from stream_processors.aggregates.audited_share import Audits, Floats

LEAST_IN_A_STRATUM: Final = 10

_UNLIKELY_SD: Final = 2.5
"""A rule is raked where its audits are this many standard deviations from a uniform draw: raking
every rule would add noise where there is nothing to mend."""

_ROUNDS: Final = 30


class _Stratum(NamedTuple):
    days: list[date]
    tweets: int
    audits: int

    def joined(self, other: "_Stratum") -> "_Stratum":
        return _Stratum(
            self.days + other.days, self.tweets + other.tweets, self.audits + other.audits
        )


class TooFewOutside(Exception):
    """Nearly all audits are of one rule: of the other tweets they tell nothing."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} more audits outside of one rule are needed")
        self.missing = missing


def by_day(days: Sequence[date], tweets_by_day: Mapping[date, int]) -> Audits:
    """Return audits weighted by the tweets of their days; at least one audit.

    `days` has the day of each audit. Every day that has tweets is in some stratum.
    """
    audits_by_day = Counter(days)
    strata: list[_Stratum] = []
    growing = _Stratum([], 0, 0)
    for day in sorted(tweets_by_day.keys() | audits_by_day.keys()):
        of_day = _Stratum([day], tweets_by_day.get(day, 0), audits_by_day[day])
        growing = growing.joined(of_day)
        if growing.audits >= LEAST_IN_A_STRATUM:
            strata.append(growing)
            growing = _Stratum([], 0, 0)
    strata.append(strata.pop().joined(growing) if strata else growing)
    each = {
        day: max(stratum.tweets / stratum.audits, 1.0) for stratum in strata for day in stratum.days
    }
    return Audits(np.array([each[day] for day in days], dtype=np.float64))


def raked(
    audits: Audits, inside: Mapping[str, npt.NDArray[np.bool_]], tweets_by_rule: Mapping[str, int]
) -> Audits:
    """Return audits of all tweets weighted so that each rule has the part that its tweets have.

    `inside` tells of each rule which audits match it; a rule without its number of tweets is left
    alone. Raises `TooFewOutside` where the audits
    crowd in one rule and fewer than 10 are outside of it.
    """
    whole = float(audits.tweets_each.sum())
    uneven: list[tuple[npt.NDArray[np.bool_], float]] = []
    for rule in sorted(inside.keys() & tweets_by_rule.keys()):
        matches, tweets = inside[rule], min(float(tweets_by_rule[rule]), whole)
        within, outside = int(matches.sum()), int((~matches).sum())
        excess = _excess_sd(audits, matches, tweets / whole)
        if excess > _UNLIKELY_SD and outside < LEAST_IN_A_STRATUM and tweets < whole:
            raise TooFewOutside(LEAST_IN_A_STRATUM - outside)
        # Those that were audited too thinly get the greater weights: few of them would be noise.
        thin = outside if excess > 0 else within
        if abs(excess) > _UNLIKELY_SD and thin >= LEAST_IN_A_STRATUM:
            uneven.append((matches, tweets))
    return Audits(_scaled(audits.tweets_each.copy(), uneven, whole))


def _excess_sd(audits: Audits, matches: npt.NDArray[np.bool_], expected: float) -> float:
    expected = min(max(expected, 1 / (audits.tweets_each.sum() + 1)), 1.0)
    found = float(audits.weights @ matches)
    spread = np.sqrt(max(expected * (1 - expected), 1e-12) / audits.effective)
    return float((found - expected) / spread)


def _scaled(
    each: Floats, uneven: Sequence[tuple[npt.NDArray[np.bool_], float]], whole: float
) -> Floats:
    for _ in range(_ROUNDS if len(uneven) > 1 else len(uneven)):
        for matches, tweets in uneven:
            each[matches] *= tweets / each[matches].sum()
            each[~matches] *= (whole - tweets) / each[~matches].sum()
    return np.maximum(each, 1.0)
