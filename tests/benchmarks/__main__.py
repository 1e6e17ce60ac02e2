"""`make bench`: what the stream costs beside the model, and an archive, as ratios of one run.

Prints one JSON document. The engine alone and the whole path take turns on new distinct texts, so
that a machine whose speed drifts slows both; ratios compare, single figures do not. A core does
less where its neighbours work: so the engine's CPU is measured within the scoring process, on the
same windows at the same moments, and once more alone, where nothing else runs.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.archives import DEFAULT_MIB, parsing, replays
from tests.benchmarks.bench_stack import (
    SCORE,
    SINK,
    BenchStack,
    Passage,
    bench_stack,
    measure_passage,
)
from tests.benchmarks.latency import latency_at
from tests.benchmarks.machine import machine
from tests.benchmarks.shelf import costs_in_turns
from tests.benchmarks.texts import Archives

ROUNDS = 3
TWEETS = 8_000
LATENCY_S = 20


class Bench:
    """One run of the benchmark: a stack and the bare engine."""

    def __init__(self, bench: BenchStack, engine: "subprocess.Popen[str]") -> None:
        self._bench = bench
        self._engine = engine
        self.archive = Archives(bench.home).new

    def passage(self, archive: Path, tweets: int) -> Passage:
        """Measure the whole path."""
        return measure_passage(self._bench, archive, archive.stem, tweets)

    def bare(self, archive: Path) -> dict[str, float]:
        """Measure the engine alone on the same tweets."""
        if self._engine.stdin is None or self._engine.stdout is None:
            raise RuntimeError("the engine's process has pipes")
        print(archive, file=self._engine.stdin, flush=True)
        answer: dict[str, float] = json.loads(self._engine.stdout.readline())
        return answer

    def against_the_engine(self) -> dict[str, Any]:
        """Interleave the engine alone and the whole path."""
        bare: list[dict[str, float]] = []
        passages: list[Passage] = []
        for _ in range(ROUNDS):
            archive = self.archive(TWEETS)
            bare.append(self.bare(archive))
            passages.append(self.passage(archive, TWEETS))
        tweets = ROUNDS * TWEETS
        bare_cpu_s = sum(answer["cpu_s"] for answer in bare)
        bare_wall_s = sum(answer["wall_s"] for answer in bare)
        score_cpu_s = sum(passage.cpu_s["score"] for passage in passages)
        inside_cpu_s = sum(passage.engine_cpu_s for passage in passages)
        return {
            "cpu_ratio_engine_over_scoring_process": round(inside_cpu_s / score_cpu_s, 3),
            "cpu_ratio_engine_alone_over_scoring_process": round(bare_cpu_s / score_cpu_s, 3),
            "wall_ratio_whole_path_over_engine": round(
                bare_wall_s / sum(passage.wall_s for passage in passages), 3
            ),
            "engine_share_of_whole_path_wall": round(
                inside_cpu_s / sum(passage.wall_s for passage in passages), 3
            ),
            "engine_tweets_per_s": round(tweets / bare_wall_s),
            "whole_path_tweets_per_s": round(tweets / sum(p.wall_s for p in passages)),
            "cpu_us_per_tweet": {"engine alone": round(bare_cpu_s / tweets * 1e6)}
            | {
                name: round(sum(p.cpu_s[name] for p in passages) / tweets * 1e6)
                for name in passages[0].cpu_s
            },
            "cpu_share_of_scoring_process": {
                name: round(sum(p.cpu_s[name] for p in passages) / score_cpu_s, 3)
                for name in ("sink", "replay")
            },
            "resident_mb": {
                name: round(max(p.resident_bytes[name] for p in passages) / 1e6)
                for name in passages[0].resident_bytes
            },
        }

    def with_retweets(self) -> dict[str, Any]:
        """Compare a stream of which a third repeats with one that does not."""
        distinct = self.passage(self.archive(TWEETS), TWEETS)
        repeated = self.passage(self.archive(TWEETS, retweets=True), TWEETS)
        return {
            "speed_with_a_third_of_retweets_over_distinct": round(
                distinct.wall_s / repeated.wall_s, 3
            ),
            "tweets_per_s": round(TWEETS / repeated.wall_s),
        }

    def latency(self, tweets_per_s: int) -> dict[str, Any]:
        """Measure how old tweets are when PostgreSQL has them, at half load."""
        rate = max(1, tweets_per_s // 2)
        archive = self.archive(rate * LATENCY_S)
        return latency_at(self._bench, archive, rate)

    def two_workers(self) -> dict[str, Any]:
        """Compare two scoring processes with one."""
        one = self.passage(self.archive(TWEETS), TWEETS)
        self._bench.start("score-2", SCORE)
        two = self.passage(self.archive(TWEETS), TWEETS)
        self._bench.stop("score-2")
        return {"speed_of_two_over_one": round(one.wall_s / two.wall_s, 3)}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive-mib", type=int, default=DEFAULT_MIB, help="size of the archive")
    parser.add_argument(
        "--baseline", action="store_true", help="compare with the obvious pipeline, nothing else"
    )
    arguments = parser.parse_args()
    started_s = time.perf_counter()
    document = with_baseline() if arguments.baseline else whole(arguments.archive_mib)
    document["seconds"] = round(time.perf_counter() - started_s)
    print(json.dumps(document, indent=2))  # noqa: T201
    return 0


def with_baseline() -> dict[str, Any]:
    """Measure the obvious pipeline and Murmur's in turns."""
    from tests.benchmarks.baseline import against_the_obvious

    before = machine()
    with bench_stack() as stack:
        stack.start("score", SCORE)
        stack.start("sink", SINK)
        return {
            "command": "make bench ARGS=--baseline",
            "machine": before,
            "the obvious pipeline": against_the_obvious(stack, Archives(stack.home).new),
        }


def whole(archive_mib: int) -> dict[str, Any]:
    """Measure the stream, its parts and archives."""
    command = [sys.executable, "-m", "tests.benchmarks.bare_engine"]
    before = machine()
    with (
        bench_stack() as stack,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as engine,
    ):
        stack.start("score", SCORE)
        stack.start("sink", SINK)
        bench = Bench(stack, engine)
        main_figures = bench.against_the_engine()
        document: dict[str, Any] = {
            "command": "make bench",
            "machine": before,
            "distinct tweets": main_figures,
            "a third of retweets": bench.with_retweets(),
            "latency at half load": bench.latency(main_figures["whole_path_tweets_per_s"]),
            "two scoring processes": bench.two_workers(),
        }
        if engine.stdin is not None:
            engine.stdin.close()
        for name in list(stack.workers):
            stack.stop(name)
        # A child counts its parent's memory as its own peak: so before models are loaded here.
        document["archives"] = {
            "parsing": parsing(),
            "replay": replays(stack.settings, archive_mib),
        }
        document["bundles in turns"] = costs_in_turns()
    return document


if __name__ == "__main__":
    sys.exit(main())
