"""A linear model of the answers near the text.

Ribeiro, Singh and Guestrin, "Why Should I Trust You?", 2016, with the figures of their text
explainer: cosine distance times 100, a kernel 25 wide, a ridge of 1.
"""

from typing import Final

import numpy as np

from model_server.explaining.variants import Design, Floats

SAMPLES: Final = 256
_DISTANCE_TIMES: Final = 100.0
_KERNEL_WIDTH: Final = 25.0
_RIDGE: Final = 1.0


def design(words: int, rng: np.random.Generator) -> Design:
    """Return samples that lack one word or more; the fewer a sample lacks, the more it counts."""
    masks = np.ones((SAMPLES if words else 0, words), dtype=np.bool_)
    for mask in masks:
        mask[rng.choice(words, size=int(rng.integers(1, words + 1)), replace=False)] = False
    every = Design.of(masks, np.ones(len(masks)))
    cosine = np.sqrt(every.masks.mean(axis=1)) if words else np.ones(2)
    distance = _DISTANCE_TIMES * (1 - cosine)
    return Design(every.masks, np.exp(-((distance / _KERNEL_WIDTH) ** 2) / 2))


def weights(design: Design, values: Floats) -> Floats:
    """Return the coefficients of a ridge regression; they need not sum to anything."""
    share = design.counts / design.counts.sum()
    masks = design.masks.astype(np.float64)
    centred = masks - share @ masks
    weighted = design.counts[:, None] * centred
    words = masks.shape[1]
    result: Floats = np.linalg.solve(
        centred.T @ weighted + _RIDGE * np.eye(words), weighted.T @ (values - share @ values)
    )
    return result
