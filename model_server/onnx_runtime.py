"""ONNX Runtime, kept from reporting what runs here."""

import os
from typing import Any


def load_onnx_runtime() -> Any:
    """Import ONNX Runtime and return it. It keeps no device identifier and sends nothing.

    From 1.29 on its official builds send events of the processor, the program's path and the models
    to Microsoft, unless `ORT_DISABLE_TELEMETRY` is set before the first import
    (microsoft/onnxruntime#27379): whoever imports it elsewhere has to call this first.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime
