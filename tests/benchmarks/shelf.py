"""What a tweet costs by each bundle that Murmur ships: `python -m tests.benchmarks.shelf`.

Each turn scores the same texts with every bundle, another one first each time, so that a machine
that slows down slows all. Measured is the whole engine with its tokenizer, on one thread.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from model_server.bundle import SHIPPED, bundle_folder, open_bundle
from model_server.cleaning import CLEANING
from model_server.onnx_engine import OnnxEngine
from tests.benchmarks.machine import machine
from tests.benchmarks.texts import distinct_texts

TURNS: Final = 24
TEXTS_A_TURN: Final = 256


def costs_in_turns(turns: int = TURNS) -> dict[str, Any]:
    """Return for each bundle CPU a tweet, and tweets a second over the default's, with quartiles.

    The first turn only warms up.
    """
    bundles = {name: open_bundle(Path(name)) for name in SHIPPED}
    engines = {name: OnnxEngine(bundle) for name, bundle in bundles.items()}
    spent_s: dict[str, list[float]] = {name: [] for name in SHIPPED}
    for turn in range(1 + turns):
        texts = list(distinct_texts(turn, TEXTS_A_TURN))
        first = turn % len(SHIPPED)
        for name in SHIPPED[first:] + SHIPPED[:first]:
            cleaned = [CLEANING[bundles[name].identity.cleaning](text) for text in texts]
            began_s = time.process_time()
            engines[name].probabilities(cleaned)
            if turn:
                spent_s[name].append(time.process_time() - began_s)
    return {
        name: {
            "cpu_us_per_tweet": round(sum(spent_s[name]) / (turns * TEXTS_A_TURN) * 1e6),
            **_over_default(spent_s["default"], spent_s[name]),
        }
        for name in SHIPPED
    }


def _over_default(default_s: list[float], own_s: list[float]) -> dict[str, Any]:
    ratios = [theirs / ours for theirs, ours in zip(default_s, own_s, strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return {
        "speed_over_default": round(median(ratios), 3),
        "quartiles": [round(low, 3), round(high, 3)],
    }


def memory_mb(name: str) -> float:
    """Return the most memory of a process that loads a bundle and scores with it."""
    command = [sys.executable, "-m", "tests.benchmarks.shelf", "--memory-of", name]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(answer)


def _own_memory_mb(name: str) -> float:
    bundle = open_bundle(Path(name))
    engine = OnnxEngine(bundle)
    for seed in range(4):
        engine.probabilities(list(distinct_texts(seed, TEXTS_A_TURN)))
    # Not `ru_maxrss`, which a process takes over from the one that started it.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (peak_kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(peak_kib) / 1024, 1)


def main() -> int:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS, help="turns of 256 texts")
    parser.add_argument("--memory-of", choices=SHIPPED, help="print one bundle's memory in MB")
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(_own_memory_mb(arguments.memory_of))  # noqa: T201
        return 0
    document: dict[str, Any] = {"machine": machine(), "turns": arguments.turns}
    for name, costs in costs_in_turns(arguments.turns).items():
        files = bundle_folder(Path(name)).iterdir()
        size_mb = round(sum(file.stat().st_size for file in files) / 1e6, 1)
        document[name] = {**costs, "memory_mb": memory_mb(name), "size_mb": size_mb}
    print(json.dumps(document, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
