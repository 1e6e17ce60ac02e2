"""A stack for measuring: servers under their supervisor, workers as children of the benchmark."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded import stack
from deploy.embedded.status import status
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED, SINK_GROUP
from schemas.transport.group_lag import GroupLag
from tests.benchmarks.processes import Usage, usages
from tests.conditions import wait_until
from tests.stack import MURMUR

SCORE = (str(MURMUR), "score", "--probe-port", "0")
CONSTANT_SCORE = (sys.executable, "-m", "tests.benchmarks.constant_score")
SINK = (str(MURMUR), "sink", "--probe-port", "0")


@dataclass
class Worker:
    """A worker process and where its probes are."""

    process: subprocess.Popen[bytes]
    log: Path

    def probes(self) -> str:
        """Return the address of the probes once the worker has said it."""

        def address() -> str | None:
            for line in self.log.read_text(encoding="utf-8").splitlines():
                if "probes at" in line:
                    return str(json.loads(line)["message"]).split()[-1]
            return None

        return wait_until(address, 60, f"{self.log.stem} to serve its probes")

    def metrics(self) -> dict[str, float]:
        """Return every sample of /metrics by its name with labels."""
        with urllib.request.urlopen(self.probes() + "/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        samples = [line.rsplit(" ", 1) for line in lines if line and not line.startswith("#")]
        return {name: float(value) for name, value in samples}

    def ready(self) -> bool:
        """Tell whether /readyz is green."""
        try:
            with urllib.request.urlopen(self.probes() + "/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass
class BenchStack:
    """Servers, workers and the lag that tells when all is done."""

    home: Path
    settings: Settings
    workers: dict[str, Worker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = self.settings.topic_prefix
        self._score = GroupLag(
            self.settings.kafka_connection,
            group=self.settings.names.group(SCORE_GROUP),
            topics=[name + RAW],
        )
        self._sink = GroupLag(
            self.settings.kafka_connection,
            group=self.settings.names.group(SINK_GROUP),
            topics=[name + SCORED, name + DEAD_LETTER],
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a process meets this stack."""
        own = {"MURMUR_HOME": str(self.home), "MURMUR_TOPIC_PREFIX": self.settings.topic_prefix}
        return {**os.environ, **own}

    def start(self, name: str, command: tuple[str, ...]) -> Worker:
        """Start a worker and wait until it is ready."""
        log = self.home / f"bench-{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=self.environment, stderr=output)
        worker = self.workers[name] = Worker(process, log)
        wait_until(worker.ready, 90, f"{name} to be ready")
        return worker

    def stop(self, name: str) -> None:
        """End a worker."""
        worker = self.workers.pop(name)
        worker.process.terminate()
        worker.process.wait(timeout=30)

    def replay(self, archive: Path, run: str, *options: str) -> subprocess.Popen[bytes]:
        """Start `murmur replay` of an archive of `id, language, text`."""
        command = [
            str(MURMUR),
            "replay",
            str(archive),
            "--run",
            run,
            "--format",
            "tsv",
            "--columns",
            "id,lang,text",
            "--json",
            *options,
        ]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def engine_cpu_s(self) -> float:
        """Return the CPU seconds of the first scoring process's tokenizer and model."""
        return self.workers["score"].metrics()["murmur_score_engine_cpu_seconds_total"]

    def has_begun(self) -> bool:
        """Tell whether there is something to score."""
        return self._score.total() > 0

    def wait_until_done(self, limit_s: float) -> None:
        """Wait until scoring and sink have committed everything."""
        wait_until(lambda: self._score.total() == 0, limit_s, "everything to be scored")
        wait_until(lambda: self._sink.total() == 0, limit_s, "everything to be stored")

    def usage(self) -> dict[str, Usage]:
        """Return what each server and worker has used."""
        servers = [(p.name, p.pid) for p in status(self.home, None).processes if p.pid]
        workers = [(name, worker.process.pid) for name, worker in self.workers.items()]
        return usages([*servers, *workers])


@dataclass(frozen=True)
class Passage:
    """What it took to bring an archive from file to PostgreSQL.

    `engine_cpu_s` is the share of the first scoring process's CPU that its engine took.
    """

    tweets: int
    wall_s: float
    cpu_s: dict[str, float]
    engine_cpu_s: float
    resident_bytes: dict[str, int]


def measure_passage(
    bench: BenchStack, archive: Path, run: str, tweets: int, *options: str, limit_s: float = 600
) -> Passage:
    """Replay an archive and measure until it is all stored; the replay's start-up is left out."""
    before, engine_before_s = bench.usage(), bench.engine_cpu_s()
    replay = bench.replay(archive, run, *options)
    with ExitStack() as cleanup:
        cleanup.callback(replay.kill)
        wait_until(bench.has_begun, 60, "a first tweet")
        started_s = time.perf_counter()
        _, _, used = os.wait4(replay.pid, 0)
        bench.wait_until_done(limit_s)
        wall_s = time.perf_counter() - started_s
    after = bench.usage()
    cpu_s = {name: after[name].cpu_s - before[name].cpu_s for name in after}
    cpu_s["replay"] = used.ru_utime + used.ru_stime
    resident = {name: usage.resident_bytes for name, usage in after.items()}
    resident["replay"] = used.ru_maxrss * 1024
    return Passage(tweets, wall_s, cpu_s, bench.engine_cpu_s() - engine_before_s, resident)


@contextmanager
def bench_stack() -> Iterator[BenchStack]:
    """Yield a stack with its servers up; stop all of it and delete it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="murmur-bench-"))
    bench: BenchStack | None = None
    try:
        bench = BenchStack(home, stack.up(home, env_file=None, servers_only=True))
        yield bench
    finally:
        if bench is not None:
            for name in list(bench.workers):
                bench.stop(name)
        stack.remove(home)
