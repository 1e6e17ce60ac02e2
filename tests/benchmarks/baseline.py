"""What a tweet costs in the obvious pipeline and in Murmur, in turns on the same tweets."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.installation.topics import TopicInstaller
from schemas.topics import RAW, topic_specs
from schemas.transport.group_lag import GroupLag
from schemas.transport.postgres import connect_postgres
from tests.benchmarks.bench_stack import BenchStack, measure_passage
from tests.benchmarks.obvious_pipeline import GROUP, TABLE
from tests.benchmarks.processes import usage
from tests.conditions import wait_until

ROUNDS = 3
TWEETS = 2_000
_COMMAND = [sys.executable, "-m", "tests.benchmarks.obvious_pipeline"]
_SAME_LABELS = """SELECT count(*) FILTER (WHERE o.label = s.label), count(*)
    FROM obvious_scores o JOIN scores s ON s.run = o.run AND s.root_id = o.tweet_id"""


class Obvious:
    """The obvious pipeline on topics of its own, beside the same servers."""

    def __init__(self, bench: BenchStack, cleanup: ExitStack) -> None:
        settings = bench.settings.model_copy(update={"topic_prefix": "obvious."})
        TopicInstaller(settings.cluster, settings.topic_layout).make(
            topic_specs(settings.names, settings.topic_layout)
        )
        self._bench = replace(bench, settings=settings, workers={})
        self._lag = GroupLag(
            settings.kafka_connection,
            group=settings.names.group(GROUP),
            topics=[settings.names.topic(RAW)],
        )
        self._connection = connect_postgres(settings.postgres_connection, "benchmark")
        self._connection.autocommit = True
        cleanup.callback(self._connection.close)
        self._sql(TABLE)
        self._log = bench.home / "bench-obvious.log"
        log = cleanup.enter_context(self._log.open("wb"))
        self._process = subprocess.Popen(
            _COMMAND, env=self._bench.environment, stdout=log, stderr=log
        )
        cleanup.callback(self._process.wait, 60)
        cleanup.callback(self._process.terminate)

    def measure(self, archive: Path, tweets: int) -> dict[str, float]:
        """Return what an archive took: wall seconds, CPU seconds of process and PostgreSQL."""
        before, servers_before = usage(self._process.pid), self._bench.usage()
        replay = self._bench.replay(archive, archive.stem)
        wait_until(lambda: self._left() > 0, 60, "a first tweet")
        started_s = time.perf_counter()
        if replay.wait(timeout=120):
            raise RuntimeError("the replay failed")
        wait_until(lambda: self._left() == 0, 300, "every tweet to be stored")
        wall_s = time.perf_counter() - started_s
        if (stored := self._stored(archive.stem)) != tweets:
            raise RuntimeError(f"the obvious pipeline stored {stored} tweets of {tweets}")
        postgres_s = self._bench.usage()["postgres"].cpu_s - servers_before["postgres"].cpu_s
        own_s = usage(self._process.pid).cpu_s - before.cpu_s
        return {"wall_s": wall_s, "pipeline": own_s, "postgres": postgres_s}

    def same_labels(self) -> float:
        """Return the share of tweets to which both pipelines gave the same label."""
        same, both = self._sql(_SAME_LABELS)
        return float(same / both)

    def _left(self) -> int:
        """Return how many tweets it has not committed yet."""
        if self._process.poll() is not None:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the obvious pipeline ended: {said}")
        return self._lag.total()

    def _stored(self, run: str) -> int:
        return int(self._sql("SELECT count(*) FROM obvious_scores WHERE run = %s", run)[0])

    def _sql(self, statement: str, *values: str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone() if cursor.description else None


def against_the_obvious(bench: BenchStack, new_archive: Callable[[int], Path]) -> dict[str, Any]:
    """Let both take turns; scoring and sink of `bench` are running."""
    murmur: list[dict[str, float]] = []
    obvious: list[dict[str, float]] = []
    with ExitStack() as cleanup:
        other = Obvious(bench, cleanup)
        warm = new_archive(64)
        other.measure(warm, 64)
        measure_passage(bench, warm, warm.stem, 64)
        for _ in range(ROUNDS):
            archive = new_archive(TWEETS)
            obvious.append(other.measure(archive, TWEETS))
            passage = measure_passage(bench, archive, archive.stem, TWEETS)
            murmur.append({"wall_s": passage.wall_s, **passage.cpu_s})
        same_labels = other.same_labels()
    of_murmur = {name: _us(murmur, name) for name in ("score", "sink", "postgres")}
    of_obvious = {name: _us(obvious, name) for name in ("pipeline", "postgres")}
    return {
        "cpu_us_per_tweet": {"murmur": of_murmur, "obvious": of_obvious},
        "cpu_ratio_obvious_over_murmur": round(
            of_obvious["pipeline"] / (of_murmur["score"] + of_murmur["sink"]), 2
        ),
        "cpu_ratio_with_postgres": round(sum(of_obvious.values()) / sum(of_murmur.values()), 2),
        "cpu_ratio_by_round": [
            round(theirs["pipeline"] / (ours["score"] + ours["sink"]), 2)
            for theirs, ours in zip(obvious, murmur, strict=True)
        ],
        "tweets_per_s": {
            name: round(ROUNDS * TWEETS / sum(turn["wall_s"] for turn in turns))
            for name, turns in (("murmur", murmur), ("obvious", obvious))
        },
        "same_labels": round(same_labels, 4),
        "tweets": ROUNDS * TWEETS,
    }


def _us(turns: list[dict[str, float]], name: str) -> int:
    return round(sum(turn[name] for turn in turns) / (ROUNDS * TWEETS) * 1e6)
