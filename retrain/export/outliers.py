"""Channels far larger than their neighbours, made smaller where they are about to be quantised.

One scale serves all channels of a matrix product's input. In this family of models a single
channel of the first layers reaches four times what all others do, so that three quarters of the
256 steps are spent on it. Such channels are divided before the product and their weights
multiplied: the product is the same, the steps are four times finer (after Xiao and others,
"SmoothQuant", 2023; there every channel is scaled, which did worse here).
"""

from collections import defaultdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from retrain.export.batches import Feeds

Maxima = npt.NDArray[np.float32]

_USUAL_SHARE: Final = 0.99
_BOUND: Final = 0.7
_WORTH_A_MULTIPLICATION: Final = 1.5


def tame_outliers(model: Any, calibration: list[Feeds]) -> None:
    """Rescale the outlying channels of the inputs of all products with fixed weights, in place."""
    graph = model.graph
    weights = {table.name: table for table in graph.initializer}
    products: dict[str, list[Any]] = defaultdict(list)
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            products[node.input[0]].append(node)
    for name, maxima in _channel_maxima(model, list(products), calibration).items():
        divisors = divisors_of(maxima)
        if divisors.max() < _WORTH_A_MULTIPLICATION:
            continue
        factors, tamed = f"{name}_factors", f"{name}_tamed"
        graph.initializer.append(numpy_helper.from_array(1 / divisors, factors))
        place = list(graph.node).index(products[name][0])
        graph.node.insert(place, helper.make_node("Mul", [name, factors], [tamed], name=tamed))
        for product in products[name]:
            table = weights[product.input[1]]
            multiplied = numpy_helper.to_array(table) * divisors[:, None]
            table.CopyFrom(numpy_helper.from_array(multiplied, table.name))
            product.input[0] = tamed


def divisors_of(maxima: Maxima) -> Maxima:
    """Return by what each channel is divided: 1, or what brings it down to the bound.

    The bound is .7 of the maximum that 99 % of the channels keep to.
    """
    bound = max(float(np.quantile(maxima, _USUAL_SHARE)) * _BOUND, 1e-6)
    divisors: Maxima = np.maximum(maxima / bound, 1).astype(np.float32)
    return divisors


def _channel_maxima(model: Any, tensors: list[str], calibration: list[Feeds]) -> dict[str, Maxima]:
    """Return the largest absolute value of each channel of each tensor, padding left out."""
    import onnxruntime

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    for name in tensors:
        watched.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    maxima: dict[str, Maxima] = {}
    for feeds in calibration:
        real = feeds["attention_mask"].astype(bool)
        for name, values in zip(tensors, session.run(tensors, feeds), strict=True):
            largest = np.abs(values[real]).max(axis=0)
            maxima[name] = np.maximum(maxima.get(name, largest), largest)
    return maxima
