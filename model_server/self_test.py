"""Whether a loaded bundle answers on this machine as it did when it was sealed."""

from typing import Final

import numpy as np

from model_server.bundle import Bundle, RefusedBundle
from model_server.cleaning import CLEANING
from model_server.onnx_engine import Engine

LARGEST_DIFFERENCE: Final = 0.1
DECIDED_MARGIN: Final = 0.2
"""Processors round differently: an int8 kernel without VNNI may move a probability by some
hundredths. A difference above these two is no rounding, but another model or a broken kernel."""


def self_test(bundle: Bundle, engine: Engine) -> None:
    """Score the manifest's texts; raise `RefusedBundle` where the answers differ too much.

    Every probability must be within `LARGEST_DIFFERENCE`, and the label the same wherever the best
    two were more than `DECIDED_MARGIN` apart.
    """
    cases = bundle.manifest.self_test
    clean = CLEANING[bundle.manifest.cleaning]
    answers = engine.probabilities([clean(case.text) for case in cases])
    for number, (case, answer) in enumerate(zip(cases, answers, strict=True)):
        expected = np.array(case.probabilities)
        difference = float(np.abs(answer - expected).max())
        # Written so that a NaN is refused too.
        if not difference <= LARGEST_DIFFERENCE:
            raise RefusedBundle(
                f"{bundle.folder} fails self-test case {number}: "
                f"a probability differs by {difference:.3f}, at most {LARGEST_DIFFERENCE}"
            )
        second, first = np.sort(expected)[-2:]
        if first - second > DECIDED_MARGIN and answer.argmax() != expected.argmax():
            raise RefusedBundle(
                f"{bundle.folder} fails self-test case {number}: it answers "
                f"{bundle.manifest.labels[answer.argmax()]}, "
                f"sealed as {bundle.manifest.labels[expected.argmax()]}"
            )
