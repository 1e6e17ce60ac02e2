"""Texts that people have seen already, word for word or nearly."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from retrain.datasets.near_duplicates import NEAR, word_pairs, words_of


class SeenTexts:
    """The texts of a queue so far, to tell whether another one is new.

    Two are the same where their words are, and nearly the same from a Jaccard similarity of `NEAR`
    of their pairs of neighbouring words: the rule by which training leaves texts out.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._words: set[str] = set()
        self._sizes: list[int] = []
        self._texts_of_pair: dict[int, list[int]] = defaultdict(list)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Note a text as seen."""
        words = words_of(text)
        self._words.add(words)
        pairs = _hashed_pairs(words)
        for pair in pairs:
            self._texts_of_pair[pair].append(len(self._sizes))
        self._sizes.append(len(pairs))

    def holds(self, text: str) -> bool:
        """Tell whether a text is the same as one that was seen, or nearly."""
        words = words_of(text)
        if words in self._words:
            return True
        pairs = _hashed_pairs(words)
        shared = Counter(seen for pair in pairs for seen in self._texts_of_pair.get(pair, ()))
        return any(
            count >= NEAR * (len(pairs) + self._sizes[seen] - count)
            for seen, count in shared.items()
        )


def _hashed_pairs(words: str) -> set[int]:
    return {zlib.crc32(pair.encode(errors="replace")) for pair in word_pairs(words)}
