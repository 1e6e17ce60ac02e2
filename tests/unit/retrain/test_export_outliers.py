"""Outlying channels and embeddings by row: the same function, better kept by eight bits."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import TensorProto, helper, numpy_helper

from model_server.onnx_runtime import load_onnx_runtime
from retrain.export.embeddings import quantise_embeddings_by_row
from retrain.export.outlier_channels import divisors_of, far_out, tame_outliers

WORDS, CHANNELS, OUTPUTS = 50, 256, 8
TABLE = "model.word_embeddings.weight"


def a_model(outlier: float) -> Any:
    """Return a model that looks words up and multiplies, with a channel so much larger."""
    rng = np.random.default_rng(1)
    table = rng.normal(size=(WORDS, CHANNELS)).astype(np.float32)
    table[:, 7] *= outlier
    weights = rng.normal(size=(CHANNELS, OUTPUTS)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", [TABLE, "input_ids"], ["embedded"]),
        helper.make_node("MatMul", ["embedded", "weights"], ["products"]),
        helper.make_node("MatMul", ["embedded", "others"], ["more"]),
        helper.make_node("Add", ["products", "more"], ["logits"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", "tokens", 8])
    tables = [
        numpy_helper.from_array(table, TABLE),
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(-2 * weights, "others"),
    ]
    graph = helper.make_graph(nodes, "a model", inputs, [output], tables)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


FEEDS = {
    "input_ids": np.arange(48).reshape(4, 12),
    "attention_mask": np.ones((4, 12), dtype=np.int64),
}


def logits(model: Any) -> Any:
    onnx.checker.check_model(model)
    session = load_onnx_runtime().InferenceSession(model.SerializeToString())
    feeds = {name: FEEDS[name] for name in (found.name for found in session.get_inputs())}
    return session.run(None, feeds)[0]


def largest_input_of_a_product(model: Any) -> float:
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    name = next(node.input[0] for node in model.graph.node if node.op_type == "MatMul")
    watched.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = load_onnx_runtime().InferenceSession(watched.SerializeToString())
    return float(np.abs(session.run([name], FEEDS)[0]).max())


def test_taming_keeps_the_function_and_shrinks_what_is_quantised() -> None:
    model = a_model(outlier=12)
    expected, before = logits(model), largest_input_of_a_product(model)
    tame_outliers(model, [FEEDS])
    assert np.allclose(logits(model), expected, rtol=1e-4, atol=1e-3)
    assert largest_input_of_a_product(model) < before / 4
    # One multiplication serves both products.
    assert [node.op_type for node in model.graph.node].count("Mul") == 1


def test_what_stands_out_furthest_is_multiplied_apart_and_exactly() -> None:
    model = a_model(outlier=12)
    apart = tame_outliers(model, [FEEDS])
    nodes = {node.name: node for node in model.graph.node if node.op_type == "MatMul"}
    constants = {table.name: numpy_helper.to_array(table) for table in model.graph.initializer}
    # Two products read these channels; each has a small one for the one that stands out.
    assert len(apart) == 2
    assert {constants[nodes[name].input[1]].shape for name in apart} == {(1, OUTPUTS)}
    assert not constants["weights"][7].any()
    assert constants["weights"].any(axis=1).sum() == CHANNELS - 1


def test_far_out_is_what_reaches_over_twice_the_usual() -> None:
    maxima = np.ones(200, dtype=np.float32)
    maxima[[3, 4]] = 1.9, 2.1
    assert far_out(maxima).tolist() == [4]
    assert far_out(np.zeros(8, dtype=np.float32)).tolist() == []


def test_where_no_channel_stands_out_nothing_is_added() -> None:
    model = a_model(outlier=1)
    before = model.SerializeToString()
    tame_outliers(model, [FEEDS])
    assert model.SerializeToString() == before


def test_padding_does_not_count() -> None:
    model = a_model(outlier=1)
    table = next(t for t in model.graph.initializer if t.name == TABLE)
    rows = numpy_helper.to_array(table).copy()
    rows[0, 7] = 100
    table.CopyFrom(numpy_helper.from_array(rows, TABLE))
    before = model.SerializeToString()
    is_word = (FEEDS["input_ids"] != 0).astype(np.int64)
    tame_outliers(model, [{**FEEDS, "attention_mask": is_word}])
    assert model.SerializeToString() == before
    tame_outliers(model, [FEEDS])
    assert model.SerializeToString() != before


@given(arrays.arrays(np.float32, st.integers(4, 400), elements=st.floats(0, 1e6, width=32)))
def test_divisors_never_enlarge_and_bring_every_channel_under_the_bound(maxima: Any) -> None:
    divisors = divisors_of(maxima)
    assert (divisors >= 1).all()
    assert np.isfinite(divisors).all()
    bound = max(float(np.quantile(maxima, 0.99)), 1e-6)
    assert (maxima / divisors <= bound * 1.001).all()


def test_embeddings_by_row_are_the_same_to_half_a_step_of_their_row() -> None:
    model = a_model(outlier=12)
    table = numpy_helper.to_array(next(t for t in model.graph.initializer if t.name == TABLE))
    model.graph.output.append(helper.make_tensor_value_info("embedded", TensorProto.FLOAT, None))
    quantise_embeddings_by_row(model)
    found = (
        load_onnx_runtime().InferenceSession(model.SerializeToString()).run(["embedded"], FEEDS)[0]
    )
    rows = table[FEEDS["input_ids"]]
    steps = np.abs(rows).max(axis=-1, keepdims=True) / 127
    assert (np.abs(found - rows) <= steps * 0.501).all()
    kinds = {
        t.name: t.data_type for t in model.graph.initializer if list(t.dims) == [WORDS, CHANNELS]
    }
    assert set(kinds.values()) == {TensorProto.INT8}


def test_a_model_without_word_embeddings_is_refused() -> None:
    model = a_model(outlier=1)
    model.graph.initializer[0].name = model.graph.node[0].input[0] = "model.other.weight"
    with pytest.raises(ValueError, match="word embeddings"):
        quantise_embeddings_by_row(model)
