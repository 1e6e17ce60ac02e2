"""`python -m tests.benchmarks.batch_shapes`: what a text costs by how large batches are.

Bounds of word pieces take turns on the same windows of distinct texts, so that a machine whose
speed drifts slows all of them. Processor time of the thread counts, and the median of the turns.
Windows of 256 are the stream's, those of 32 are what waits at the service.
"""

import argparse
import json
import sys
import time
from itertools import product
from statistics import median
from typing import Final

from model_server import onnx_engine
from model_server.bundle import default_bundle, open_bundle
from model_server.cleaning import CLEANING
from model_server.onnx_engine import OnnxEngine
from tests.benchmarks.machine import machine
from tests.benchmarks.texts import distinct_texts

BOUNDS: Final = (128, 256, 320, 384, 448, 512, 640, 1_000_000)
WINDOWS: Final = (256, 32)


def main() -> int:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20)
    turns = parser.parse_args().turns
    bundle = open_bundle(default_bundle())
    engine = OnnxEngine(bundle)
    clean = CLEANING[bundle.identity.cleaning]
    cost_us: dict[tuple[int, int], list[float]] = {each: [] for each in product(WINDOWS, BOUNDS)}
    for turn in range(turns):
        texts = [clean(text) for text in distinct_texts(turn, max(WINDOWS))]
        for (window, bound), costs in cost_us.items():
            onnx_engine._BATCH_TOKENS = bound  # type: ignore[misc]
            began_s = time.thread_time()
            for start in range(0, len(texts), window):
                engine.probabilities(texts[start : start + window])
            costs.append((time.thread_time() - began_s) / len(texts) * 1e6)
    base_us = median(cost_us[max(WINDOWS), max(BOUNDS)])
    document = {
        "machine": machine(),
        "cpu_us_per_text": {
            f"windows of {window}": {
                f"at most {bound} word pieces": {
                    "us": round(median(cost_us[window, bound])),
                    "of windows of 256 without a bound": round(
                        median(cost_us[window, bound]) / base_us, 3
                    ),
                }
                for bound in BOUNDS
            }
            for window in WINDOWS
        },
    }
    print(json.dumps(document, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
