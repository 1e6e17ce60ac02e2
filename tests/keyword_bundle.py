"""A real ONNX bundle with any labels, which answers as a test tells it: one word, one label."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from model_server.bundle import MODEL, TOKENIZER, Bundle
from model_server.seal_bundle import seal_bundle

_LOGIT = 4.0


def keyword_bundle(folder: Path, words: Mapping[str, str], *, name: str = "keywords") -> Bundle:
    """Write and seal a bundle whose labels are the values of `words`, in their order.

    A text gets the label whose word stands in it most often; without any, the first label.
    """
    labels = tuple(dict.fromkeys(words.values()))
    vocabulary = {"[PAD]": 0, "[UNK]": 1} | {word: n for n, word in enumerate(words, start=2)}
    weights = np.zeros((len(vocabulary), len(labels)), dtype=np.float32)
    for word, label in words.items():
        weights[vocabulary[word], labels.index(label)] = _LOGIT
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / TOKENIZER))
    (folder / MODEL).write_bytes(_bag_of_words(weights).SerializeToString())
    return seal_bundle(
        folder,
        name=name,
        version="1",
        labels=labels,
        cleaning="1",
        languages=("en",),
        max_tokens=64,
        temperature=1.0,
        self_test_texts=[*words, "something else"],
    )


def _bag_of_words(weights: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> onnx.ModelProto:
    """Return a model whose logits are the sums of the rows that a text's tokens choose."""

    def tokens(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])

    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "second"], ["logits"], keepdims=0),
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", weights.shape[1]])
    graph = helper.make_graph(
        nodes,
        "keywords",
        [tokens("input_ids"), tokens("attention_mask")],
        [logits],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "second"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
