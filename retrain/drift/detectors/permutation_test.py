"""A permutation test on words: people speak of something else than in the reference.

Tweets are sets of hashed words. The statistic is the maximum mean discrepancy (Gretton et al.
2012, JMLR 13), unbiased. Its kernel is the cosine of two sets, where rare words weigh more (idf).
Tweets change sides at random:
p is the share of permutations with a statistic as large, the true one counted too, so that
P(p ≤ x) ≤ x for every x while both samples come from the same population.

One small p is no alarm. Each p becomes a bet that loses on average (κ p^(κ - 1): Vovk, Wang 2021,
Annals of Statistics 49), and bets are summed over windows as in the e-detector: evidence ≥ A has a
mean run length of at least A windows while every p is valid given those before.

>>> weather = tuple(frozenset({n % 7, 7 + n % 11, 100}) for n in range(120))
>>> football = tuple(frozenset({200 + n % 5, 300}) for n in range(40))
>>> same = compare(weather[:60], weather[60:], np.random.default_rng(1))
>>> new = compare(weather[:60] + football, weather[60:], np.random.default_rng(1))
>>> same.p > 0.05, new.p, round(new.new_share, 2)
(True, 0.002, 0.51)
>>> detector, windows = PValueDetector(), 0
>>> while detector.evidence < 8_760:
...     detector, windows = detector.update(new.p), windows + 1
>>> windows
3
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from msgspec import Struct

from retrain.drift.detectors.e_detector import Floats

SAMPLE_TWEETS: Final = 400
PERMUTATIONS: Final = 499
EXPONENTS: Final = np.array([0.1, 0.3, 0.5])
_MOST: Final = 600.0


@dataclass(frozen=True)
class Comparison:
    """What the test says of two samples.

    `new_share` is the size of the difference, between 0 and 1. If a part of the tweets speaks of
    something wholly new, and is as much alike as the others are, it is that part's share. A new
    topic of one slogan is more alike and gives a larger one.
    """

    p: float
    new_share: float


def compare(
    window: Sequence[frozenset[int]],
    reference: Sequence[frozenset[int]],
    rng: np.random.Generator,
    *,
    permutations: int = PERMUTATIONS,
) -> Comparison:
    """Compare two samples of at least two tweets each; the first `SAMPLE_TWEETS` of each count.

    Equal generators give equal answers. Two samples of 400 take about .1 s.
    """
    ours, theirs = window[:SAMPLE_TWEETS], reference[:SAMPLE_TWEETS]
    kernel = cosines([*ours, *theirs])
    sides = np.zeros(len(kernel))
    sides[: len(ours)] = 1.0
    shuffled = rng.permuted(np.tile(sides, (permutations, 1)), axis=1)
    observed, similarity = _discrepancies(kernel, sides[np.newaxis])
    by_chance, _ = _discrepancies(kernel, shuffled)
    # Sums in another order differ in their last digits: that is no difference.
    as_large = int((by_chance >= observed[0] - 1e-12).sum())
    share = (max(0.0, observed[0]) / similarity[0]) ** 0.5 if similarity[0] > 0 else 0.0
    return Comparison((1 + as_large) / (1 + permutations), min(1.0, float(share)))


def cosines(tweets: Sequence[frozenset[int]]) -> Floats:
    """Return the cosine of each two sets of words; 0 with itself and where they share none.

    A word counts by the logarithm of how rare it is among these tweets (inverse document
    frequency). One that a single tweet has makes that tweet like no other, and counts nowhere.
    """
    found = Counter(word for words in tweets for word in words)
    shared = sorted(word for word, count in found.items() if count > 1)
    places = {word: place for place, word in enumerate(shared)}
    rarity = np.log(len(tweets) / np.array([found[word] for word in shared], dtype=np.float64))
    rows = np.zeros((len(tweets), len(shared)))
    for row, words in enumerate(tweets):
        known = [places[word] for word in words if word in places]
        rows[row, known] = rarity[known]
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    rows = np.divide(rows, lengths, out=rows, where=lengths > 0)
    kernel: Floats = rows @ rows.T
    np.fill_diagonal(kernel, 0.0)
    return kernel


def _discrepancies(kernel: Floats, sides: Floats) -> tuple[Floats, Floats]:
    """Return each row's squared discrepancy, and how alike the tweets are within both sides."""
    n, m = sides[0].sum(), (1 - sides[0]).sum()
    along = sides @ kernel
    within = (along * sides).sum(axis=1)
    between = (along * (1 - sides)).sum(axis=1)
    others = kernel.sum() - within - 2 * between
    similarity = within / (n * (n - 1)) + others / (m * (m - 1))
    return similarity - 2 * between / (n * m), similarity


class PValueDetector(Struct, frozen=True):
    """The p-values of the windows so far, as a value that goes through JSON unchanged."""

    log1p_r: tuple[float, ...] = (0.0,) * len(EXPONENTS)

    def update(self, p: float) -> "PValueDetector":
        """Return the detector after one more window; p lies above 0."""
        bets = np.log(EXPONENTS) + (EXPONENTS - 1) * np.log(p)
        rows = np.minimum(np.logaddexp(0.0, np.array(self.log1p_r) + bets), _MOST)
        return PValueDetector(tuple(rows.tolist()))

    @property
    def evidence(self) -> float:
        """Compare it with the run length, in windows, that is wanted between false alarms."""
        return float(np.expm1(np.array(self.log1p_r)).mean())
