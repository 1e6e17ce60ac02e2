"""`python -m tests.benchmarks.serving`: what the model costs over HTTP, as ratios of one run.

Prints one JSON document. The engine alone and the service take turns on the same core, each on new
distinct texts; the client (wrk, in C) and Redis have another one. Where other programs use the
machine, compare processor time: the ratios of `cpu` are of what the engine and the service's
process used for a text. Needs Debian's package `wrk`, and two cores.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import psutil
from pydantic import SecretStr

from schemas.settings import load_settings
from tests.benchmarks.machine import machine
from tests.benchmarks.open_loop import latencies_at
from tests.benchmarks.texts import distinct_texts, write_archive
from tests.integration.serving import Service, own_redis, serving

CONNECTIONS: Final = 64
BATCH: Final = 32
CACHED_TEXTS: Final = 500
ENGINE_TEXTS: Final = 2_048
MOST_PER_S: Final = 1_500
"""More distinct texts a second are not written down: wrk would begin anew, and they are known."""
_SCRIPT: Final = Path(__file__).with_name("post_texts.lua")


class Bench:
    """A folder of texts, and the cores that are measured on."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        self._seeds = count(int(time.time()))

    def texts(self, number: int) -> list[str]:
        """Return texts that were never sent."""
        return list(distinct_texts(next(self._seeds), number))

    def bare(self, engine: "subprocess.Popen[str]", number: int) -> dict[str, float]:
        """Measure the engine alone on so many texts."""
        assert engine.stdin is not None
        assert engine.stdout is not None
        archive = self._folder / "archive.tsv"
        write_archive(archive, iter(self.texts(number)), 1)
        print(archive, file=engine.stdin, flush=True)
        answer: dict[str, float] = json.loads(engine.stdout.readline())
        return answer

    def singles(self, services: Sequence[Service]) -> dict[str, float]:
        """Send distinct texts, one a request, by 64 connections."""
        texts = self.texts(int(MOST_PER_S * self._seconds))
        return self._wrk(services, "/predict", [{"text": text} for text in texts], 1)

    def batches(self, services: Sequence[Service]) -> dict[str, float]:
        """Send distinct texts, 32 a request, by 4 connections."""
        texts = self.texts(int(MOST_PER_S * self._seconds))
        parts = [texts[begin : begin + BATCH] for begin in range(0, len(texts), BATCH)]
        bodies = [{"texts": part} for part in parts]
        return self._wrk(services, "/predict/batch", bodies, BATCH, connections=4)

    def cached(self, service: Service) -> dict[str, float]:
        """Send texts that were answered before."""
        texts = self.texts(CACHED_TEXTS)
        assert service.post("/predict/batch", json={"texts": texts}).ok
        return self._wrk([service], "/predict", [{"text": text} for text in texts], 1)

    def at_half_load(self, service: Service, per_s: float) -> dict[str, Any]:
        """Send distinct texts at moments of a Poisson process, at half of what was answered."""
        texts = self.texts(int(per_s / 2 * max(self._seconds, 10.0)))
        with on_cores(clients()):
            return latencies_at(service.address, texts, per_s / 2, seed=1)

    def _wrk(
        self,
        services: Sequence[Service],
        call: str,
        bodies: Sequence[object],
        texts_each: int,
        connections: int = CONNECTIONS,
    ) -> dict[str, float]:
        began_s = [cpu_s(service) for service in services]
        used_before_s = _children_cpu_s()
        running = []
        for place, service in enumerate(services):
            file = self._folder / f"bodies-{place}"
            share = bodies[place :: len(services)]
            file.write_text("".join(f"{json.dumps(body)}\n" for body in share), encoding="utf-8")
            options = f"-t1 -c{connections // len(services)} -d{self._seconds:g}s --timeout 30s"
            with on_cores(clients()):
                running.append(
                    subprocess.Popen(
                        ["wrk", *options.split(), "-s", _SCRIPT, service.address],
                        env={**os.environ, "BODIES": str(file), "CALL": call},
                        stdout=subprocess.PIPE,
                        text=True,
                    )
                )
        found = [json.loads(each.communicate()[0].strip().splitlines()[-1]) for each in running]
        texts = sum(each["requests"] for each in found) * texts_each
        seconds = max(each["seconds"] for each in found)
        used_s = sum(cpu_s(each) for each in services) - sum(began_s)
        return {
            "texts": texts,
            "texts_per_s": texts / seconds,
            "cpu_us_per_text": used_s / texts * 1e6,
            "p50_ms": max(each["p50_ms"] for each in found),
            "p99_ms": max(each["p99_ms"] for each in found),
            "refused": sum(each["refused"] for each in found),
            "lost": sum(each["lost"] for each in found),
            "client_cpu_share_of_its_core": (_children_cpu_s() - used_before_s) / seconds,
        }


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Have what is started here run on these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def served() -> set[int]:
    """Return the core of the engine and of the service."""
    return {min(os.sched_getaffinity(0))}


def clients() -> set[int]:
    """Return the cores of those that ask, and of Redis."""
    return os.sched_getaffinity(0) - served() or served()


def cpu_s(service: Service) -> float:
    """Return the processor time of the service's process."""
    times = psutil.Process(service.pid).cpu_times()
    return float(times.user + times.system)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def on_one_core(bench: Bench, service: Service, rounds: int) -> dict[str, Any]:
    """Interleave the engine and the service's kinds of requests."""
    command = [sys.executable, "-m", "tests.benchmarks.bare_engine"]
    kinds: dict[str, Callable[[], dict[str, float]]] = {
        "singles": lambda: bench.singles([service]),
        "batches of 32": lambda: bench.batches([service]),
        "cached singles": lambda: bench.cached(service),
    }
    bare: list[dict[str, float]] = []
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    with on_cores(served()):
        engine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with engine:
        bench.singles([service])
        for _ in range(rounds):
            bare.append(bench.bare(engine, ENGINE_TEXTS))
            for kind, measure in kinds.items():
                found[kind].append(measure())
    tweets = sum(each["tweets"] for each in bare)
    bare_per_s = tweets / sum(each["wall_s"] for each in bare)
    bare_cpu_us = sum(each["cpu_s"] for each in bare) / tweets * 1e6
    document: dict[str, Any] = {
        "engine alone": {
            "texts_per_s": round(bare_per_s),
            "cpu_us_per_text": round(bare_cpu_us),
        }
    }
    for kind, runs in found.items():
        texts = sum(each["texts"] for each in runs)
        per_s = texts / sum(each["texts"] / each["texts_per_s"] for each in runs)
        cpu_us = sum(each["cpu_us_per_text"] * each["texts"] for each in runs) / texts
        document[kind] = {
            "texts_per_s": round(per_s),
            "of the engine's texts_per_s": round(per_s / bare_per_s, 3),
            "cpu_us_per_text": round(cpu_us),
            "cpu: engine over service": round(bare_cpu_us / cpu_us, 3),
            **{name: round(max(each[name] for each in runs), 2) for name in _SHOWN},
        }
    return document


_SHOWN: Final = ("p50_ms", "p99_ms", "refused", "lost", "client_cpu_share_of_its_core")


def on_all_cores(bench: Bench, folder: Path, redis_uri: str, rounds: int) -> dict[str, Any]:
    """Compare one thread with two, and with two processes; the client takes its part of a core."""
    ways = {
        "one thread": (1, 1),
        "two threads": (1, 2),
        "two processes": (2, 1),
    }
    per_s: dict[str, list[float]] = {way: [] for way in ways}
    with ExitStack() as stack:
        running = {
            way: [
                stack.enter_context(service(folder / f"{way} {number}", redis_uri, threads))
                for number in range(processes)
            ]
            for way, (processes, threads) in ways.items()
        }
        for _ in range(rounds):
            for way, services in running.items():
                per_s[way].append(bench.singles(services)["texts_per_s"])
        memory = {
            way: round(sum(psutil.Process(each.pid).memory_info().rss for each in services) / 1e6)
            for way, services in running.items()
        }
    one = sum(per_s["one thread"])
    return {
        way: {
            "texts_per_s": round(sum(found) / rounds),
            "of one thread's": round(sum(found) / one, 2),
            "resident_mb": memory[way],
        }
        for way, found in per_s.items()
    }


@contextmanager
def service(folder: Path, redis_uri: str, threads: int) -> Iterator[Service]:
    """Run the service with a Redis, and no limit of requests."""
    with serving(
        load_settings(None),
        folder,
        home=folder / "home",
        kafka="127.0.0.1:9",
        redis=SecretStr(redis_uri),
        serve_rate="",
        serve_threads=threads,
    ) as running:
        yield running


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None or len(os.sched_getaffinity(0)) < 2:
        print("needs wrk (apt install wrk) and two cores", file=sys.stderr)  # noqa: T201
        return 2
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    before = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(folder, arguments.seconds)
        with on_cores(clients()):
            redis = ExitStack()
            server = redis.enter_context(own_redis())
        with redis:
            with ExitStack() as stack:
                with on_cores(served()):
                    running = stack.enter_context(service(folder / "one", server.uri, 1))
                alone = on_one_core(bench, running, arguments.rounds)
                half = bench.at_half_load(running, alone["singles"]["texts_per_s"])
            wide = on_all_cores(bench, folder, server.uri, arguments.rounds)
    document = {
        "command": f"python -m tests.benchmarks.serving --seconds {arguments.seconds:g} "
        f"--rounds {arguments.rounds}",
        "machine": before,
        "core of engine and service": sorted(served()),
        "cores of the clients and Redis": sorted(clients()),
        "connections": CONNECTIONS,
        **alone,
        "singles at half load (Poisson)": half,
        "all cores, client included": wide,
    }
    print(json.dumps(document, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
