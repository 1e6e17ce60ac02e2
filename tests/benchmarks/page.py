"""`python -m tests.benchmarks.page`: what each view of the page costs over millions of tweets.

Prints one JSON document. CPU seconds are of the service and of PostgreSQL together, so that a busy
machine makes them little larger; each view is asked for at several places, the first time and
again. With --home the servers and the run stay there for the next time.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import psutil

from deploy.embedded import stack
from deploy.embedded.status import status
from schemas.cache_keys import WINDOWS
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.aggregates.cache import AggregatesCache
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.time_windows import parse_window
from tests.benchmarks.machine import machine
from tests.benchmarks.many_tweets import RUN, START, analyse, store_many
from tests.benchmarks.processes import usages
from tests.conditions import wait_until
from tests.integration.serving import Service, serving

_TIMES: Final = 3
_KEPT_S: Final = 4.5
"""A little longer than the page keeps an answer: then it is asked for anew."""

_LABELS: Final = ("negative", "neutral", "positive")
_SHOWN: Final = ("shares", "counts")
_FORM: Final = "%Y-%m-%dT%H:%M"


def views(rules: int) -> dict[str, Callable[[int], str]]:
    """Return an address of each view by its number, so that no two are the same."""

    def at(path: str, **values: str) -> str:
        return f"/page{path}?{urlencode({'run': RUN, 'live': 'off', **values})}"

    def span(days: float, hours: float, number: int) -> dict[str, str]:
        start = START + timedelta(days=days, hours=number)
        return {"from": f"{start:{_FORM}}", "to": f"{start + timedelta(hours=hours):{_FORM}}"}

    rare = f"rule {rules // 2}"
    return {
        "overview, all": lambda n: at("", window="all", show=_SHOWN[n % 2]),
        "overview, 7 days": lambda n: at("", **span(10, 168, n)),
        "overview, a day": lambda n: at("", **span(10, 24, n)),
        "a frequent rule, all": lambda n: at("", window="all", rule=f"rule {n + 1}"),
        "a rare rule, all": lambda n: at("", window="all", rule=f"rule {rules // 2 + n}"),
        "a frequent rule, a day": lambda n: at("", rule="rule 1", **span(12, 24, n)),
        "a label, all": lambda n: at("", window="all", label=_LABELS[n % 3]),
        "what changed, 6 hours": lambda n: at("/why", **span(20.5, 6, n)),
        "what changed, a week": lambda n: at("/why", **span(20, 168, n)),
        "what changed, half a month": lambda n: at("/why", **span(15, 359 - n, n)),
        "what changed in a frequent rule": lambda n: at("/why", rule="rule 1", **span(20, 24, n)),
        "what changed in a rare rule": lambda n: at("/why", rule=rare, **span(15, 240, n)),
        "tweets": lambda n: at("/tweets", window="all", label=_LABELS[n % 3], language="de"),
        "tweets of a rare rule": lambda n: at("/tweets", window="all", rule=f"rule {rules - n}"),
        "compare two rules": lambda n: at(
            "/compare", rule=f"rule {n + 1}", b_run=RUN, b_rule=f"rule {n + 2}"
        ),
    }


def measured(
    service: Service, home: Path, rules: int, only: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each view costs."""
    postgres = next(p.pid for p in status(home, None).processes if p.name == "postgres" and p.pid)
    serve = next(child.pid for child in psutil.Process().children() if "serve" in child.cmdline())
    for name, address_of in views(rules).items():
        if only not in name:
            continue
        cpu_s, wall_s, size = [], [], 0
        for number in range(_TIMES):
            asked_s = time.monotonic()
            wait_until(lambda: time.monotonic() > asked_s + _KEPT_S, 60, "an answer of now")  # noqa: B023
            before = usages([("serve", serve), ("postgres", postgres)])
            begun = time.perf_counter()
            answer = service.get(address_of(number))
            wall_s.append(time.perf_counter() - begun)
            after = usages([("serve", serve), ("postgres", postgres)])
            assert answer.ok, (name, answer.status_code, answer.text[:300])
            cpu_s.append({key: after[key].cpu_s - before[key].cpu_s for key in after})
            size = len(answer.content)
        yield (
            name,
            {
                "cpu_s": [round(sum(each.values()), 3) for each in cpu_s],
                "of_postgres_s": round(statistics.median(c["postgres"] for c in cpu_s), 3),
                "wall_s": [round(each, 3) for each in wall_s],
                "bytes": size,
            },
        )


def _hold_figures(settings: Settings, connection: Connection) -> None:
    """Write to Redis what the sink's refresher would hold there."""
    figures = aggregates_of(
        connection, RUN, [parse_window(name) for name in WINDOWS], datetime.now(UTC)
    )
    with connect_redis(settings.redis_connection) as client:
        AggregatesCache(client, settings.topic_prefix, 3600).write(figures)


@contextmanager
def _servers(home: Path | None) -> Iterator[tuple[Path, Settings]]:
    if home is not None:
        yield home, stack.up(home, env_file=None, servers_only=True)
        return
    own = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        yield own, stack.up(own, env_file=None, servers_only=True)
    finally:
        stack.remove(own)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=int, default=5_000_000)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--home", type=Path, help="where servers and rows stay for the next time")
    parser.add_argument("--only", default="", help="views with these words in their names")
    options = parser.parse_args()

    def say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)  # noqa: T201

    with _servers(options.home) as (home, settings):
        with closing(connect_postgres(settings.postgres_connection, "bench")) as connection:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT FROM runs WHERE run = %s", (RUN,))
                is_there = cursor.fetchone() is not None
            if not is_there:
                store_many(connection, options.tweets, options.rules, say)
            analyse(connection)
            _hold_figures(settings, connection)
        with serving(settings, home / "bench", serve_rate="") as service:
            found = {}
            for name, figures in measured(service, home, options.rules, options.only):
                say(f"{name}: {figures}")
                found[name] = figures
    print(json.dumps({"machine": machine(), "tweets": options.tweets, "views": found}, indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
