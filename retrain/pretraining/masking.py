"""Which words of a text are hidden, and what stands in their place."""

import torch
from torch import Tensor

SHARE_HIDDEN = 0.15
SHARE_MASKED = 0.8
SHARE_RANDOM = 0.1


def hide_words(
    input_ids: Tensor, may_hide: Tensor, *, mask_id: int, words: int, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the ids with some words hidden, and where: texts × tokens, both.

    Of the words that may be hidden 15 % are: eight of ten of them become the mask, one any
    of the vocabulary's `words`, one stays as it is (Devlin et al. 2019).
    """
    shape = input_ids.shape
    hidden = may_hide & (torch.rand(shape, generator=random) < SHARE_HIDDEN)
    fate = torch.rand(shape, generator=random)
    others = torch.randint(words, shape, generator=random)
    shown = torch.where(hidden & (fate < SHARE_MASKED), mask_id, input_ids)
    swapped = hidden & (fate >= SHARE_MASKED) & (fate < SHARE_MASKED + SHARE_RANDOM)
    return torch.where(swapped, others, shown), hidden
