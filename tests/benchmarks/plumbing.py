"""Many tweets through everything but the model: rate and memory have to stay flat.

`python -m tests.benchmarks.plumbing --tweets 2000000` prints one JSON document.
"""

import argparse
import json
import sys
import time
from typing import Any

from tests.benchmarks.bench_stack import (
    CONSTANT_SCORE,
    SINK,
    BenchStack,
    bench_stack,
    measure_passage,
)
from tests.benchmarks.machine import machine
from tests.benchmarks.texts import distinct_texts, write_archive

FIRST_ID = 1_500_000_000_000_000_000


def measure(bench: BenchStack, tweets: int, parts: int) -> list[dict[str, Any]]:
    """Send the tweets in equal parts, one after the other, and measure each."""
    bench.start("score", CONSTANT_SCORE)
    bench.start("sink", SINK)
    size = tweets // parts
    measured = []
    for part in range(parts):
        archive = bench.home / f"part-{part}.tsv"
        write_archive(archive, distinct_texts(part, size), FIRST_ID + part * size * 4_194_304)
        passage = measure_passage(bench, archive, "plumbing", size, limit_s=3600)
        archive.unlink()
        measured.append(
            {
                "tweets_per_s": round(size / passage.wall_s),
                "cpu_us_per_tweet": {
                    name: round(cpu_s / size * 1e6) for name, cpu_s in passage.cpu_s.items()
                },
                "resident_mb": {
                    name: round(size_bytes / 1e6)
                    for name, size_bytes in passage.resident_bytes.items()
                },
            }
        )
        print(json.dumps(measured[-1]), file=sys.stderr)  # noqa: T201
    return measured


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=int, default=200_000)
    parser.add_argument("--parts", type=int, default=10)
    arguments = parser.parse_args()
    started_s = time.perf_counter()
    with bench_stack() as bench:
        parts = measure(bench, arguments.tweets, arguments.parts)
    document = {
        "command": " ".join(["python -m tests.benchmarks.plumbing", *sys.argv[1:]]),
        "machine": machine(),
        "tweets": arguments.tweets,
        "seconds": round(time.perf_counter() - started_s),
        "parts": parts,
    }
    print(json.dumps(document, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
