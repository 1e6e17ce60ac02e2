"""Logits of many texts from a model of PyTorch."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from retrain.training.batches import padded
from retrain.training.hardware import Hardware

_BATCH_TEXTS: Final = 64


def logits_of(
    model: Any,
    tokens: Sequence[Sequence[int]],
    hardware: Hardware,
    *,
    done: Callable[[int], None] = lambda _: None,
) -> npt.NDArray[np.float64]:
    """Return texts × labels, in order; the model is left in evaluation mode.

    `done` is told how many texts each batch had.
    """
    model.eval()
    order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
    logits = np.empty((len(tokens), int(model.config.num_labels)), dtype=np.float64)
    for start in range(0, len(order), _BATCH_TEXTS):
        places = order[start : start + _BATCH_TEXTS]
        batch = [tokens[place] for place in places]
        input_ids, mask = padded(batch, model.config.pad_token_id, hardware.device)
        with torch.inference_mode(), hardware.autocast():
            answer = model(input_ids=input_ids, attention_mask=mask).logits
        logits[places] = answer.double().cpu().numpy()
        done(len(places))
    return logits
