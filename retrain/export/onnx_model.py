"""A trained model as ONNX, and how far its answers are from PyTorch's."""

import copy
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx

from model_server.bundle import TOKENIZER
from retrain.export.attention import keep_heads_in_rows
from retrain.export.batches import Feeds
from retrain.trained_model import TrainedRefused

OPSET: Final = 23
MODULE_SCOPES: Final = "pkg.torch.onnx.name_scopes"
_NEEDED: Final = ("config.json", "model.safetensors", TOKENIZER)


def load_torch(folder: Path) -> Any:
    """Return the trained model for inference.

    Raises `TrainedRefused` for an incomplete folder and for another architecture.
    """
    import torch
    from transformers import AutoConfig, DistilBertForSequenceClassification
    from transformers.utils.logging import disable_progress_bar

    for name in _NEEDED:
        if not (folder / name).is_file():
            raise TrainedRefused(f"{folder} is incomplete: it has no {name}")
    disable_progress_bar()
    kind = AutoConfig.from_pretrained(folder).model_type
    if kind != "distilbert":
        raise TrainedRefused(f"{folder} is a {kind}: only a DistilBERT can be exported")
    model = DistilBertForSequenceClassification.from_pretrained(
        folder, attn_implementation="sdpa", dtype=torch.float32
    )
    return model.eval()


def write_onnx(model: Any, class_biases: Sequence[float], file: Path) -> None:
    """Write a model with inputs `input_ids` and `attention_mask` and the output `logits`.

    Both inputs are texts × tokens, int64, of any size. The class biases become part of the
    classifier's own. `model` stays as it is.
    """
    import torch

    from retrain.export.first_token import keep_first_token

    model = copy.deepcopy(model)
    _fold_biases(model, class_biases)
    keep_first_token(model)
    # It tells of a library that is not installed and not needed.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    dynamic = torch.export.Dim.DYNAMIC
    # Rows of different lengths, so that nothing is taken for a constant.
    input_ids = torch.arange(100, 151).reshape(3, 17)
    attention_mask = (torch.arange(17) < torch.tensor([[17], [9], [4]])).long()
    with warnings.catch_warnings():
        # The exporter's own use of what it will rename.
        warnings.simplefilter("ignore", FutureWarning)
        torch.onnx.export(
            model,
            (),
            str(file),
            kwargs={"input_ids": input_ids, "attention_mask": attention_mask},
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamo=True,
            opset_version=OPSET,
            external_data=False,
            dynamic_shapes={
                name: {0: dynamic, 1: dynamic} for name in ("input_ids", "attention_mask")
            },
            verbose=False,
        )
    exported = onnx.load(str(file))
    _forget_where(exported)
    keep_heads_in_rows(exported, model.config.n_heads)
    onnx.save(exported, str(file))


def _forget_where(exported: Any) -> None:
    """Keep of the exporter's notes which module a node is of, and drop its files and lines."""
    parts = [*exported.graph.node, *exported.graph.value_info, exported.graph, exported]
    for part in parts:
        kept = [entry for entry in part.metadata_props if entry.key == MODULE_SCOPES]
        del part.metadata_props[:]
        part.metadata_props.extend(kept)


def _fold_biases(model: Any, class_biases: Sequence[float]) -> None:
    """Leave the same function with fewer additions.

    A key's bias adds the same to a query's product with every key, which the softmax takes away.
    The weights of values sum to 1, so that their bias passes through to the output's.
    """
    import torch

    with torch.no_grad():
        model.classifier.bias += torch.tensor(class_biases)
        for layer in model.distilbert.transformer.layer:
            attention = layer.attention
            attention.out_lin.bias += attention.out_lin.weight @ attention.v_lin.bias
            attention.k_lin.bias = attention.v_lin.bias = None


def largest_logit_difference(
    model: Any,
    class_biases: Sequence[float],
    onnx_logits: Callable[[Feeds], npt.NDArray[np.float32]],
    batches: list[Feeds],
) -> float:
    """Return the largest difference between an ONNX model's logits and PyTorch's plus biases.

    NaN where either has a NaN.
    """
    import torch

    largest = 0.0
    for feeds in batches:
        with torch.inference_mode():
            expected = model(**{name: torch.from_numpy(feed) for name, feed in feeds.items()})
        biased = expected.logits.numpy() + np.array(class_biases, dtype=np.float32)
        difference = np.abs(onnx_logits(feeds) - biased).max()
        # Unlike Python's, this maximum is NaN where one of the two is.
        largest = float(np.maximum(largest, difference))
    return largest
