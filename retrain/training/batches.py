"""Texts as word pieces, and the batches of an epoch: the same for the same seed, anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

UNLABELLED: Final = -1
"""The label of a text that only teachers have judged."""

_WINDOW_BATCHES: Final = 50
"""Batches that are sorted by length together: texts of a batch then need little padding, and
which texts meet still differs from epoch to epoch."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrainingTexts:
    """Encoded texts, the number of each one's label, and teachers' logits where there are any."""

    tokens: Sequence[Sequence[int]]
    labels: npt.NDArray[np.int64]
    teacher_logits: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.tokens)


def encode(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[list[int]]:
    """Return each text's word pieces, cut at the tokenizer's limit."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def epoch_batches(
    lengths: Sequence[int], *, batch_texts: int, seed: int, epoch: int
) -> list[Places]:
    """Return the places of the texts of each batch: every text once, shuffled for this epoch."""
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(lengths))
    of_length = np.asarray(lengths)
    batches: list[Places] = []
    for start in range(0, len(order), batch_texts * _WINDOW_BATCHES):
        window = order[start : start + batch_texts * _WINDOW_BATCHES]
        window = window[np.argsort(of_length[window], kind="stable")]
        batches += [window[at : at + batch_texts] for at in range(0, len(window), batch_texts)]
    return [batches[place] for place in generator.permutation(len(batches))]


def padded(
    tokens: Sequence[Sequence[int]], pad_id: int, device: "torch.device"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return input ids and attention mask, texts × the longest of them."""
    import torch

    longest = max(len(ids) for ids in tokens)
    input_ids = np.full((len(tokens), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(tokens), longest), dtype=np.int64)
    for row, ids in enumerate(tokens):
        input_ids[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    return torch.from_numpy(input_ids).to(device), torch.from_numpy(mask).to(device)
