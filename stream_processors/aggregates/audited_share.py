"""The share that people would count, from a model's labels of all tweets and people's of a few.

The estimate is that of prediction-powered inference, PPI++ (Angelopoulos, Duchi, Zrnic, 2023,
arXiv 2311.01453), for a share: of N tweets the model counts a share F, and n audits have the
person's answer y and the model's f, each 0 or 1:

    share = mean(y) + slope * (F - mean(f)),  slope = Cov(y, f) / Var(f)

PPI++ has its audits beside the N tweets; here they are among them, and what is wanted is the share
of these very tweets. So the variance is (1 - n/N) * Var(y - slope * f) / n, and slope lacks the
factor 1 / (1 + n/N): for n far below N both are the same, and with every tweet audited the
interval is people's own count. A slope of 0 is the share from the labels alone.

The interval is Wilson's (1927) at the effective number of audits, n / ((1 - n/N) * (1 - r^2)), r
the correlation of y and f; Korn and Graubard (1998) do so for surveys. The plain share ± 1.96
standard errors holds the truth in .63 of draws of 20 audits where the share is .07, and in .84
where it is .19; this one in .98 and .96 (`python -m tests.audit_coverage` measures it).
r is taken with half a made audit of (1, 0) and half of (0, 1) added: 20 audits on which model and
people agree do not prove that they always do. Below 60 audits the quantile is Student's t.
"""

from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

LEAST_AUDITS: Final = 20
"""Below this a share stays uncorrected: its interval would say next to nothing."""

WANTED_HALF_WIDTH: Final = 0.03

_STUDENT_BELOW: Final = 60
_NORMAL: Final = NormalDist().inv_cdf(0.975)
_MADE_AUDITS: Final = 0.5

Floats = npt.NDArray[np.float64]


class Estimate(NamedTuple):
    """A share with its 95 % interval: 0 <= low <= share <= high <= 1."""

    share: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the length of the interval: the ± that is shown."""
        return (self.high - self.low) / 2


class Audits(NamedTuple):
    """Audits of one choice of tweets, with how many of its tweets each of them stands for.

    `tweets_each` adds up to the number of all tweets of the choice, N; each is at least 1. With
    equal numbers the audits are a uniform sample. `weights` are the same, adding up to 1.
    """

    tweets_each: Floats

    @property
    def weights(self) -> Floats:
        """Each audit's part of the whole."""
        weights: Floats = self.tweets_each / self.tweets_each.sum()
        return weights

    @property
    def effective(self) -> float:
        """Kish's number of equally weighted audits that would tell as much; n if all are equal."""
        return float(1 / np.square(self.weights).sum())

    @property
    def variance_of_mean(self) -> float:
        """The variance of a weighted mean of values of variance 1: (1 - n/N) / n if all equal."""
        unseen = np.clip(1 - 1 / self.tweets_each, 0, 1)
        return float((np.square(self.weights) * unseen).sum())


def uniform_audits(audits: int, tweets: int) -> Audits:
    """Return the audits of a uniform sample of so many tweets; of no more audits than tweets."""
    return Audits(np.full(audits, max(tweets / audits, 1.0)))


def audited_share(people: Floats, model: Floats, audits: Audits, counted: float) -> Estimate:
    """Return the share that people would count, as the module says; at least one audit.

    `people` and `model` hold 1 where the audit has the label, else 0; `counted` is the share of
    all tweets that the model gives the label. Raises nothing: a model that always or never gives
    the label on the audits leaves the labels alone.
    """
    slope, unexplained = _regression(people, model, audits.weights)
    share = _mean(people, audits) + slope * (counted - _mean(model, audits))
    return _wilson(share, unexplained * audits.variance_of_mean, audits.effective)


def labels_alone(people: Floats, audits: Audits) -> Estimate:
    """Return the share from people's labels without the model; also a share of right answers."""
    return _wilson(_mean(people, audits), audits.variance_of_mean, audits.effective)


def audits_wanted(
    people: Floats, model: Floats, audits: Audits, half_width: float = WANTED_HALF_WIDTH
) -> int:
    """Return about how many audits give an interval of ± `half_width`, if they go on like these.

    n = v / (1 + v / N), v = (1.96 / half_width)^2 * p * (1 - p) * (1 - r^2): Cochran's number of a
    sample, with p and r of the audits so far, drawn a little towards one half and 0.
    """
    tweets = float(audits.tweets_each.sum())
    _, unexplained = _regression(people, model, audits.weights)
    made = _MADE_AUDITS / len(people)
    share = (_mean(people, audits) + made) / (1 + 2 * made)
    of_many = (_NORMAL / half_width) ** 2 * share * (1 - share) * unexplained
    return int(np.ceil(of_many / (1 + of_many / tweets)))


def student_t(degrees: float) -> float:
    """Return Student's quantile at .975 by the Cornish-Fisher expansion.

    Abramowitz and Stegun, 26.7.5: right to .0001 from 10 degrees of freedom on.
    """
    z = _NORMAL
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum(term / degrees**power for power, term in enumerate(terms))


def _mean(values: Floats, audits: Audits) -> float:
    return float(values @ audits.weights)


def _regression(people: Floats, model: Floats, weights: Floats) -> tuple[float, float]:
    """Return the slope of people on model, and which part of people's variance it leaves."""
    if model.min() == model.max():
        return 0.0, 1.0
    slope, _ = _slope_and_unexplained(people, model, weights)
    with_made = np.append(weights, [_MADE_AUDITS / len(people)] * 2)
    _, unexplained = _slope_and_unexplained(
        np.append(people, [1.0, 0.0]), np.append(model, [0.0, 1.0]), with_made / with_made.sum()
    )
    return slope, unexplained


def _slope_and_unexplained(people: Floats, model: Floats, weights: Floats) -> tuple[float, float]:
    people_apart, model_apart = people - people @ weights, model - model @ weights
    covariance = float((people_apart * model_apart) @ weights)
    model_variance = float(np.square(model_apart) @ weights)
    people_variance = float(np.square(people_apart) @ weights)
    if people_variance == 0:
        return 0.0, 1.0
    r_squared = covariance**2 / (people_variance * model_variance)
    return covariance / model_variance, max(0.0, 1 - r_squared)


def _wilson(share: float, unit_variance: float, effective: float) -> Estimate:
    """Return Wilson's interval around a share whose variance is p * (1 - p) * unit_variance."""
    share = min(max(share, 0.0), 1.0)
    quantile = student_t(max(effective - 1, 1)) if effective < _STUDENT_BELOW else _NORMAL
    spread = quantile**2 * unit_variance
    middle = (share + spread / 2) / (1 + spread)
    half_width = np.sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)
    low, high = float(middle - half_width), float(middle + half_width)
    return Estimate(share, min(max(low, 0.0), share), max(min(high, 1.0), share))
