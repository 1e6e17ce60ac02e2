"""The engine alone, in a process of its own: what the scoring process is measured against.

Reads names of archives (`id TAB language TAB text`) from standard input; answers each with a line
of JSON: tweets, CPU and wall seconds of cleaning-free tokenising and scoring in windows of 256.
"""

import json
import sys
import time
from pathlib import Path

from model_server.bundle import default_bundle, open_bundle
from model_server.cleaning import CLEANING
from model_server.onnx_engine import OnnxEngine
from schemas.settings import load_settings

WINDOW = 256


def main() -> int:
    """Serve until standard input ends."""
    bundle = open_bundle(load_settings(None).model or default_bundle())
    engine = OnnxEngine(bundle)
    engine.probabilities(["warm", "up"] * 64)
    clean = CLEANING[bundle.identity.cleaning]
    for name in sys.stdin:
        lines = Path(name.strip()).read_text(encoding="utf-8").splitlines()
        texts = [clean(line.split("\t", 2)[2]) for line in lines]
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        for start in range(0, len(texts), WINDOW):
            engine.probabilities(texts[start : start + WINDOW])
        answer = {
            "tweets": len(texts),
            "cpu_s": time.process_time() - cpu_s,
            "wall_s": time.perf_counter() - wall_s,
        }
        print(json.dumps(answer), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
