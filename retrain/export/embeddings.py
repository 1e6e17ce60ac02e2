"""Word embeddings in 8 bits with a scale for each word: half the model's size, hardly any loss."""

from typing import Any, Final

import numpy as np
from onnx import TensorProto, helper, numpy_helper

_NAME: Final = "word_embeddings"


def quantise_embeddings_by_row(model: Any) -> None:
    """Replace the look-up of word embeddings in a model by one in int8 and a multiplication.

    ONNX Runtime's own quantisation has one scale for all words, so that rare large values make
    every other word coarse. Raises `ValueError` where the model looks up no word embeddings.
    """
    graph = model.graph
    tables = {table.name: table for table in graph.initializer if f".{_NAME}." in table.name}
    found = next(
        (
            (place, node)
            for place, node in enumerate(graph.node)
            if node.op_type == "Gather" and node.input[0] in tables
        ),
        None,
    )
    if found is None:
        raise ValueError("the model looks up no word embeddings")
    place, look_up = found
    table = tables[look_up.input[0]]
    rows = numpy_helper.to_array(table)
    scales = np.abs(rows).max(axis=1, keepdims=True) / 127
    scales[scales == 0] = 1.0
    integers = np.round(rows / scales).astype(np.int8)
    words, embedded = look_up.input[1], look_up.output[0]
    graph.node.remove(look_up)
    graph.initializer.remove(table)
    graph.initializer.extend(
        [
            numpy_helper.from_array(integers, f"{_NAME}_int8"),
            numpy_helper.from_array(scales.astype(np.float32), f"{_NAME}_scales"),
        ]
    )
    steps = [
        ("Gather", [f"{_NAME}_int8", words], f"{_NAME}_rows", {}),
        ("Cast", [f"{_NAME}_rows"], f"{_NAME}_unscaled", {"to": TensorProto.FLOAT}),
        ("Gather", [f"{_NAME}_scales", words], f"{_NAME}_row_scales", {}),
        ("Mul", [f"{_NAME}_unscaled", f"{_NAME}_row_scales"], embedded, {}),
    ]
    for offset, (kind, inputs, output, attributes) in enumerate(steps):
        node = helper.make_node(kind, inputs, [output], name=f"{output}_{kind}", **attributes)
        graph.node.insert(place + offset, node)
