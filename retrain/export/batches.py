"""Texts as the model's inputs, padded as the engine pads them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from model_server.onnx_engine import BATCH_TEXTS

Feeds: TypeAlias = dict[str, npt.NDArray[np.int64]]


def batches_of(tokenizer_file: Path, texts: Sequence[str], *, max_tokens: int) -> Iterator[Feeds]:
    """Yield batches of 32 cleaned texts, the shortest texts first."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_tokens)
    encoded = sorted((found.ids for found in tokenizer.encode_batch(list(texts))), key=len)
    for start in range(0, len(encoded), BATCH_TEXTS):
        batch = encoded[start : start + BATCH_TEXTS]
        input_ids = np.zeros((len(batch), len(batch[-1])), dtype=np.int64)
        attention_mask = np.zeros_like(input_ids)
        for row, ids in enumerate(batch):
            input_ids[row, : len(ids)] = ids
            attention_mask[row, : len(ids)] = 1
        yield {"input_ids": input_ids, "attention_mask": attention_mask}
