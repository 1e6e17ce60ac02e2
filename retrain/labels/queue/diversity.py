"""A few texts that lie far from each other.

Greedy k-centre: T. Gonzalez, "Clustering to Minimize the Maximum Intercluster Distance", 1985. Each
next text is the one farthest from all chosen so far; no text lies farther from its nearest chosen
one than twice what the best choice would leave.
"""

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from retrain.datasets.near_duplicates import words_of

_DIMENSIONS: Final = 512

Vectors = npt.NDArray[np.float32]


def word_vectors(texts: Sequence[str]) -> Vectors:
    """Return a row of length 1 for each text: its words, hashed into 512 dimensions (CRC-32)."""
    vectors = np.zeros((len(texts), _DIMENSIONS), dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        for word in words_of(text).split(" "):
            row[zlib.crc32(word.encode(errors="replace")) % _DIMENSIONS] += 1
    vectors = np.sqrt(vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    return vectors


def k_centre(vectors: Vectors, count: int) -> list[int]:
    """Return the rows of `count` centres, the first of them row 0; of equal ones the earliest."""
    if not len(vectors) or count < 1:
        return []
    chosen = [0]
    nearest = vectors @ vectors[0]
    while len(chosen) < min(count, len(vectors)):
        nearest[chosen] = np.inf
        # Similarities that differ in the last bit only would be decided by the machine.
        chosen.append(int(np.argmin(np.round(nearest, 5))))
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
    return chosen
