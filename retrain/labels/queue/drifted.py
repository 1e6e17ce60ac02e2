"""Which tweets say what nobody said before?"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from retrain.datasets.near_duplicates import words_of
from retrain.labels.queue.candidates import Candidate

DriftOrder: TypeAlias = Callable[[Sequence[Candidate]], list[Candidate]]
"""Returns the candidates that are worth a look because the stream has changed, the best first."""

_NEWEST_SHARE: Final = 0.1


def newest_words_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Order the newest day's candidates by how much of a novelty their words are.

    A text counts the mean, over its words, of ln(share of newer texts with the word / share of
    older ones), one text added to each. Where all are of one day, its newest tenth is new.
    """
    if not candidates:
        return []
    by_time = sorted(candidates, key=lambda each: (each.posted_at, each.rank))
    newest_day = by_time[-1].posted_at.date()
    newer = [each for each in by_time if each.posted_at.date() == newest_day]
    if len(newer) == len(by_time):
        newer = by_time[-math.ceil(len(by_time) * _NEWEST_SHARE) :]
    older = by_time[: len(by_time) - len(newer)]
    new, old = _texts_with(newer), _texts_with(older)

    def novelty(candidate: Candidate) -> float:
        words = _words(candidate)
        shares = [
            math.log((new[word] + 1) / (len(newer) + 1) / ((old[word] + 1) / (len(older) + 1)))
            for word in sorted(words)
        ]
        return math.fsum(shares) / len(shares)

    return sorted(newer, key=lambda each: (-round(novelty(each), 9), each.rank))


def _texts_with(candidates: Sequence[Candidate]) -> Counter[str]:
    return Counter(word for candidate in candidates for word in _words(candidate))


def _words(candidate: Candidate) -> set[str]:
    return set(words_of(candidate.text).split(" "))
