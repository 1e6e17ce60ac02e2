"""Shapley values of words by weighted least squares on paired coalitions.

Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017 (Kernel SHAP).
Covert and Lee, "Improving KernelSHAP: Practical Shapley Value Estimation via Linear Regression",
2021: each sampled coalition is paired with its complement, so that fewer are needed.
"""

import itertools
from collections.abc import Iterator
from math import comb
from typing import Final

import numpy as np

from model_server.explaining.variants import Design, Floats

MASKS: Final = 96
_MASKS_A_WORD: Final = 4
"""Above 24 words; with fewer masks than words to weigh, the equations do not determine them."""


def design(words: int, rng: np.random.Generator) -> Design:
    """Return 96 coalitions, or four a word where that is more, or all where there are fewer.

    Sizes of coalitions whose share of the kernel's weight pays for all of their coalitions are
    taken whole, the outermost first, as `shap` does. The others are sampled.
    """
    left = max(MASKS, _MASKS_A_WORD * words)
    sizes = list(range(1, words // 2 + 1))
    kernel = {size: _pair_weight(words, size) for size in sizes}
    coalitions: list[Floats] = []
    counts: list[float] = []
    everything = 2**words - 2 <= left
    while sizes:
        size = sizes[0]
        masks = _both_sides(words, size)
        if not everything and left * kernel[size] < masks * sum(kernel[each] for each in sizes):
            break
        coalitions += _all_of(words, size)
        counts += [kernel[size] / masks] * masks
        left -= masks
        del sizes[0]
    pairs = left // 2
    if sizes and pairs:
        shares = np.array([kernel[size] for size in sizes])
        for size in rng.choice(sizes, size=pairs, p=shares / shares.sum()):
            coalition = np.zeros(words)
            coalition[rng.choice(words, size=int(size), replace=False)] = 1
            coalitions += [coalition, 1 - coalition]
        counts += [float(shares.sum()) / (2 * pairs)] * (2 * pairs)
    masks_of_all = np.array(coalitions, dtype=np.bool_).reshape(len(coalitions), words)
    return Design.of(masks_of_all, np.array(counts))


def weights(design: Design, values: Floats) -> Floats:
    """Return the Shapley values; they sum to the difference of all words to none.

    Where the equations leave room, the values are as equal as they allow.
    """
    words = design.masks.shape[1]
    if not words:
        return np.zeros(0)
    everything, nothing = values[:2]
    even = (everything - nothing) / words
    masks = design.masks[2:].astype(np.float64)
    root = np.sqrt(design.counts[2:])[:, None]
    # What is left after the even share sums to zero: it is sought among such vectors alone.
    centred = masks - masks.mean(axis=1, keepdims=True)
    rest = values[2:] - nothing - masks.sum(axis=1) * even
    found, *_ = np.linalg.lstsq(root * centred, root[:, 0] * rest, rcond=None)
    result: Floats = even + found - found.mean()
    return result


def _pair_weight(words: int, size: int) -> float:
    """Return the kernel's weight of all coalitions of a size and of their complements."""
    one_side = (words - 1) / (size * (words - size))
    return one_side if 2 * size == words else 2 * one_side


def _both_sides(words: int, size: int) -> int:
    return comb(words, size) * (1 if 2 * size == words else 2)


def _all_of(words: int, size: int) -> Iterator[Floats]:
    for members in itertools.combinations(range(words), size):
        coalition = np.zeros(words)
        coalition[list(members)] = 1
        yield coalition
        if 2 * size != words:
            yield 1 - coalition
