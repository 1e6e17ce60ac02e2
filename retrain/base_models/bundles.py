"""A bundle as a base: the weights of its int8 model, read back into the DistilBERT it came from.

What `retrain.export` did is undone: integers times their scales, and outliers that were divided or
set apart put back into the weights. What rounding took stays lost, so that the labels are the
bundle's but for near ties.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from model_server.bundle import MANIFEST, MODEL, open_bundle
from retrain.base_models.minilm import EMBEDDINGS
from retrain.export.onnx_model import MODULE_SCOPES
from schemas.failures import Failure

Array = npt.NDArray[np.float32]

_LAYER: Final = re.compile(r"distilbert\.transformer\.layer\.(\d+)\.")


def is_bundle(folder: Path) -> bool:
    """Tell whether a folder holds a bundle."""
    return (folder / MANIFEST).is_file()


def distilbert_of_bundle(folder: Path, labels: Sequence[str]) -> Any:
    """Return a DistilBertForSequenceClassification with a bundle's weights.

    For other labels than the bundle's the last layer is drawn from torch's generator. Raises
    `RefusedBundle` for a damaged bundle, `Failure` for one that `murmur model export` did not make.
    """
    import torch
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    own_labels = open_bundle(folder).manifest.labels
    graph = _Graph(onnx.load(str(folder / MODEL)).graph)
    try:
        weights = graph.weights()
        words = weights[f"{EMBEDDINGS}word_embeddings.weight"]
        positions = weights[f"{EMBEDDINGS}position_embeddings.weight"]
        widest = weights["distilbert.transformer.layer.0.ffn.lin1.weight"]
    except KeyError as error:
        raise Failure(f"{folder} was not made by `murmur model export`: no {error}") from error
    layers = {found[1] for name in weights if (found := _LAYER.match(name))}
    config = DistilBertConfig(
        vocab_size=len(words),
        max_position_embeddings=len(positions),
        dim=words.shape[1],
        n_layers=len(layers),
        n_heads=graph.heads(),
        hidden_dim=len(widest),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    model = DistilBertForSequenceClassification(config)
    for layer in range(len(layers)):
        for folded in ("k_lin", "v_lin"):
            name = f"distilbert.transformer.layer.{layer}.attention.{folded}.bias"
            weights.setdefault(name, np.zeros(config.dim, dtype=np.float32))
    if tuple(labels) != own_labels:
        for name in ("classifier.weight", "classifier.bias"):
            weights[name] = model.state_dict()[name].numpy()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model


class _Graph:
    """An int8 graph of `retrain.export`, looked up by names."""

    def __init__(self, graph: Any) -> None:
        self._nodes = list(graph.node)
        self._constants = {table.name: numpy_helper.to_array(table) for table in graph.initializer}
        self._maker = {output: node for node in graph.node for output in node.output}

    def heads(self) -> int:
        """Return the number of attention heads."""
        for node in self._nodes:
            for attribute in node.attribute:
                if node.op_type == "Attention" and attribute.name == "q_num_heads":
                    return int(attribute.i)
        raise KeyError("q_num_heads")

    def weights(self) -> dict[str, Array]:
        """Return the weights under transformers' names; `KeyError` where the graph is another."""
        weights = {
            name: array.copy()
            for name, array in self._constants.items()
            if name.endswith((".weight", ".bias")) and array.dtype == np.float32
        }
        scaled = self._constants["word_embeddings_int8"] * self._constants["word_embeddings_scales"]
        weights[f"{EMBEDDINGS}word_embeddings.weight"] = scaled.astype(np.float32)
        apart = []
        for node in self._nodes:
            if node.op_type == "MatMul" and self._maker[node.input[0]].op_type == "Gather":
                apart.append(node)
            elif node.op_type == "MatMul":
                table = self._value(node.input[1]) * self._factors(node.input[0])
                weights[f"{_module(node)}.weight"] = np.ascontiguousarray(table.T)
            elif node.op_type == "Gemm":
                weights[f"{_module(node)}.weight"] = self._value(node.input[1])
                weights[f"{_module(node)}.bias"] = self._value(node.input[2])
        for node in apart:
            channels = self._constants[self._maker[node.input[0]].input[1]]
            weights[f"{_module(node)}.weight"][:, channels] = self._value(node.input[1]).T
        return weights

    def _value(self, name: str) -> Array:
        """Return a constant, in floating point."""
        if name in self._constants:
            return np.asarray(self._constants[name], dtype=np.float32)
        integers, scale, zero = (self._constants[part] for part in self._maker[name].input)
        axis = next((a.i for a in self._maker[name].attribute if a.name == "axis"), 1)
        if scale.ndim and integers.ndim > 1:
            shape = [1] * integers.ndim
            shape[axis] = -1
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        return np.asarray((integers.astype(np.float32) - zero) * scale, dtype=np.float32)

    def _factors(self, multiplied: str) -> Array:
        """Return by what each channel of a product's input was multiplied, as a column."""
        quantised = self._maker[self._maker[multiplied].input[0]].input[0]
        node = self._maker[quantised]
        if node.op_type != "Mul" or node.input[1] not in self._constants:
            return np.ones((1, 1), dtype=np.float32)
        return self._value(node.input[1])[:, None]


def _module(node: Any) -> str:
    """Return the module of PyTorch that a node was exported from."""
    scopes = {entry.key: entry.value for entry in node.metadata_props}[MODULE_SCOPES]
    names: list[str] = msgspec.json.decode(scopes.replace("'", '"').encode())
    return names[-2]
