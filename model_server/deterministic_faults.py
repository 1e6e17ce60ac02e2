"""Which faults of scoring come again with the same texts."""

from typing import Final

from model_server.onnx_engine import UnscorableTexts

DETERMINISTIC: Final = (
    UnscorableTexts,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the same tweet will raise again: a refusal of the model's, and what pure Python code raises
of its input. A want of memory, a broken connection and an unknown fault of a library are none."""
