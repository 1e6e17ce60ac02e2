"""Which texts are, word for word or nearly, among others?"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

NEAR: Final = 0.6
"""Jaccard similarity of two texts' word pairs from which they are near. One word of twenty
changed leaves .81, five words added to twenty .79; tweets on one subject stay far below."""

_CHUNK_ROWS: Final = 2048
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"  # CJK
)
_WORDS = re.compile(rf"(?=\w)[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+")
_NO_WORDS_OF_THE_TEXT: Final = frozenset({"http", "https", "user", "rt"})


def words_of(text: str) -> str:
    """Return a cleaned text's words in lower case: links, mentions, marks and emoji left out.

    A text without words, of emoji alone perhaps, stands for itself. Where words stand without
    spaces between them, in Chinese or Thai, each character counts as one.
    """
    words = [word for word in _WORDS.findall(text.lower()) if word not in _NO_WORDS_OF_THE_TEXT]
    return " ".join(words) or text


def near_any(texts: Sequence[str], others: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return for each text whether one of `others` has the same words or nearly the same.

    Texts are cleaned ones. Two are near where the Jaccard similarity of the sets of their pairs of
    neighbouring words (Broder 1997's shingles) is at least `NEAR`; it is computed, not estimated.
    """
    mine, theirs = [words_of(text) for text in texts], [words_of(text) for text in others]
    same = set(theirs)
    near = np.array([words in same for words in mine], dtype=np.bool_)
    if not near.all() and any(" " in words for words in theirs):
        near |= _near_by_pairs(mine, theirs)
    return near


def _near_by_pairs(mine: Sequence[str], theirs: Sequence[str]) -> npt.NDArray[np.bool_]:
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer: Any = CountVectorizer(analyzer=word_pairs, binary=True, dtype=np.int32)
    of_theirs = vectorizer.fit_transform(theirs)
    of_mine = vectorizer.transform(mine)
    sizes = np.array([len(word_pairs(words)) for words in mine])
    sizes_of_theirs = np.asarray(of_theirs.sum(axis=1)).ravel()
    near = np.zeros(len(mine), dtype=np.bool_)
    for start in range(0, len(mine), _CHUNK_ROWS):
        shared = (of_mine[start : start + _CHUNK_ROWS] @ of_theirs.T).tocoo()
        union = sizes[start + shared.row] + sizes_of_theirs[shared.col] - shared.data
        near[start + shared.row[shared.data >= NEAR * union]] = True
    return near


def word_pairs(words: str) -> set[str]:
    """Return the pairs of neighbouring words of what `words_of` returns."""
    parts = words.split(" ")
    return {f"{first} {second}" for first, second in pairwise(parts)}
