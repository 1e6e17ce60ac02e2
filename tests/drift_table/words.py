"""Simulated tweets as sets of words: twenty standing topics that burst, and a new one."""

import numpy as np

from retrain.drift.detectors.e_detector import Floats
from retrain.drift.detectors.permutation_test import EXPONENTS, Comparison, compare

TOPICS, COMMON, OWN, WORDS = 20, 2_000, 60, 12
REFERENCE_TWEETS = 4_000
_BURST = 0.8


class WordStream:
    """Tweets of twelve words, a third of them of their topic, all by Zipf's law."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._common, self._own = _zipf(COMMON), _zipf(OWN)
        self._moods = np.zeros(TOPICS)

    def hour(self, tweets: int, *, new: float = 0.0) -> list[frozenset[int]]:
        """Return the tweets of the next hour, of which a part is of a topic never seen."""
        shocks = self._rng.standard_t(4, TOPICS) / 2**0.5 * (1 - _BURST**2) ** 0.5
        self._moods = _BURST * self._moods + shocks
        mix = np.exp(0.2 * self._moods)
        topics = self._rng.choice(TOPICS, tweets, p=mix / mix.sum())
        topics[self._rng.random(tweets) < new] = TOPICS
        common = self._rng.choice(COMMON, (tweets, WORDS), p=self._common)
        own = (
            COMMON
            + topics[:, np.newaxis] * OWN
            + self._rng.choice(OWN, (tweets, WORDS), p=self._own)
        )
        words = np.where(self._rng.random((tweets, WORDS)) < 1 / 3, own, common)
        return [frozenset(row) for row in words.tolist()]

    def reference(self) -> list[frozenset[int]]:
        """Return a sample of four weeks, twenty tweets an hour, a day apart."""
        return [tweet for _ in range(REFERENCE_TWEETS // 20) for tweet in self.hour(20)]


def _zipf(words: int) -> Floats:
    shares = 1 / np.arange(1, words + 1)
    parts: Floats = shares / shares.sum()
    return parts


def comparisons(
    rng: np.random.Generator, hours: int, *, new: float = 0.0, tweets: int = 400
) -> list[Comparison]:
    """Return the tests of so many hours in a row of one stream."""
    stream = WordStream(rng)
    pool = stream.reference()
    found = []
    for _ in range(hours):
        drawn = rng.permutation(len(pool))[:400].tolist()
        found.append(compare(stream.hour(tweets, new=new), [pool[one] for one in drawn], rng))
    return found


def evidence_over(p: Floats) -> Floats:
    """Return the evidence after each hour: streams × hours of p-values in, evidence out."""
    log1p_r = np.zeros((len(p), len(EXPONENTS)))
    evidence = np.empty_like(p)
    for hour in range(p.shape[1]):
        bets = np.log(EXPONENTS) + (EXPONENTS - 1) * np.log(p[:, hour, np.newaxis])
        log1p_r = np.minimum(np.logaddexp(0.0, log1p_r + bets), 600.0)
        evidence[:, hour] = np.expm1(log1p_r).mean(axis=-1)
    return evidence
