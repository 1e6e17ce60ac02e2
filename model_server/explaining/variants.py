"""A text with some of its words left out, many times over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model_server.emoji_spans import Span

Floats: TypeAlias = npt.NDArray[np.float64]
Masks: TypeAlias = npt.NDArray[np.bool_]
"""Variants × words; true where the variant has the word."""


@dataclass(frozen=True)
class Design:
    """Which variants a method asks the model for, and how much each of them counts.

    The first variant has all words and the second none, whatever the method.
    """

    masks: Masks
    counts: Floats

    @classmethod
    def of(cls, masks: Masks, counts: Floats) -> "Design":
        """Return a design of these variants and, before them, the text with all words and none."""
        words = masks.shape[1]
        ends = np.vstack([np.ones(words, dtype=np.bool_), np.zeros(words, dtype=np.bool_)])
        return cls(np.vstack([ends, masks]), np.concatenate([np.ones(2), counts]))


@dataclass(frozen=True)
class Variants:
    """The texts of a design, each different one once; `rows` has the text of each variant."""

    texts: list[str]
    rows: npt.NDArray[np.int64]


def variants_of(text: str, words: Sequence[Span], masks: Masks) -> Variants:
    """Return the texts; a space stands for each word that is left out, so that no words join."""
    between = [
        text[before:after]
        for before, after in zip(
            [0, *(word.end for word in words)],
            [*(word.start for word in words), len(text)],
            strict=True,
        )
    ]
    kept = [text[slice(*word)] for word in words]
    places: dict[str, int] = {}
    rows = []
    for mask in masks.tolist():
        parts = [between[0]]
        for has, word, after in zip(mask, kept, between[1:], strict=True):
            parts += [word if has else " ", after]
        rows.append(places.setdefault("".join(parts), len(places)))
    return Variants(list(places), np.array(rows, dtype=np.int64))
