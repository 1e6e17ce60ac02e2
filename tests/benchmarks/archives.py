"""What reading and replaying archives costs: a part of `make bench`, and a command of its own.

`python -m tests.benchmarks.archives` prints this part alone.

Ratios compare with `msgspec.json.decode` of the same bytes into plain objects, in the same
process: both are timed in turn over many short rounds, and the median of the rounds' ratios
counts, so that a machine whose speed drifts slows both. The replay runs as its own process
against servers of its own, and its processor time is that which the system counted, started
interpreter and all.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from producers.parsing.provenance import Origin
from producers.x_api.v2_documents import parse_document
from schemas.settings import Settings
from tests.benchmarks.archive_lines import LINES, line_number
from tests.stack import MURMUR, isolated, migrated_template, process_environment, running_servers

_ROUNDS = 400
_PARSED_A_ROUND = 100
_MIB = 1024 * 1024
DEFAULT_MIB = 256
_SMALL_MIB = 32
"""A small archive beside the large one shows that memory does not grow with the archive."""


def parsing() -> dict[str, dict[str, float]]:
    """Return the costs of parsing each kind of line, in microseconds, and their ratios."""
    now = datetime.now(UTC)
    origin = Origin("bench", now, "x-v2", "0" * 64)
    found: dict[str, dict[str, float]] = {}
    for name, line in LINES.items():
        raw = msgspec.json.encode(line)
        decode = partial(msgspec.json.decode, raw)
        parse = partial(parse_document, raw, origin, now, 1)
        rounds = [(_cost_us(decode), _cost_us(parse)) for _ in range(_ROUNDS)]
        found[name] = {
            "bytes": len(raw),
            "decode_us": round(median(decode_us for decode_us, _ in rounds), 2),
            "parse_us": round(median(parse_us for _, parse_us in rounds), 2),
            "ratio": round(median(parse_us / decode_us for decode_us, parse_us in rounds), 2),
        }
    return found


def _cost_us(call: Callable[[], object]) -> float:
    return timeit.timeit(call, number=_PARSED_A_ROUND) / _PARSED_A_ROUND * 1e6


def replays(servers: Settings, archive_mib: int) -> dict[str, dict[str, object]]:
    """Replay a small archive and one of so many MiB, in own topics and databases."""
    found: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder, migrated_template(servers) as template:
        for size_mib in (_SMALL_MIB, archive_mib):
            with isolated(servers, template) as settings:
                found[f"{size_mib} MiB"] = whole_replay(settings, Path(folder), size_mib * _MIB)
    return found


def whole_replay(settings: Settings, folder: Path, archive_bytes: int) -> dict[str, object]:
    """Replay an archive of so many bytes, and count processor time and memory of the process."""
    path = folder / "large.jsonl"
    tweets = _write(path, archive_bytes)
    process = subprocess.Popen(
        [MURMUR, "replay", path, "--run", "bench", "--max-lag", "0", "--json"],
        env=process_environment(settings),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    report: dict[str, Any] = msgspec.json.decode(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert (process.returncode, report["events"]) == (0, tweets)
    cpu_s = used.ru_utime + used.ru_stime
    return {
        "archive_bytes": path.stat().st_size,
        "tweets": tweets,
        "cpu_us_a_tweet": round(cpu_s / tweets * 1e6, 1),
        "tweets_a_second": round(tweets / report["seconds"]),
        "peak_memory_mib": round(used.ru_maxrss / 1024, 1),
    }


def _write(path: Path, archive_bytes: int) -> int:
    tweets = 0
    with path.open("wb") as file:
        for line in _lines():
            file.write(line)
            tweets += 1
            if tweets % 1_000 == 0 and file.tell() >= archive_bytes:
                return tweets
    return tweets


def _lines() -> Iterator[bytes]:
    number = 0
    while True:
        yield line_number(number)
        number += 1


def main() -> int:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive-mib", type=int, default=DEFAULT_MIB, help="size of the archive")
    parser.add_argument("--no-servers", action="store_true", help="measure the parsing alone")
    arguments = parser.parse_args()
    found: dict[str, object] = {"parsing": parsing()}
    if not arguments.no_servers:
        with running_servers() as servers:
            found["replay"] = replays(servers, arguments.archive_mib)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
