"""`python -m tests.benchmarks.stored_rows --rows 1000000 10000000`: what many stored tweets cost.

Prints one JSON document. Rows of `live` are made by SQL, up to each size, over sixty days. At each
size the real sink stores new tweets and takes removals: what a tweet costs, how long a removal of
an old tweet takes until its row is gone, and how large the database is.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from psycopg2.extensions import cursor

from schemas.codec import encode, headers_of, key_of
from schemas.events import LIVE, Event, TweetDeleted
from schemas.topics import SCORED
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.sink.runs import ensure_runs
from tests.benchmarks.bench_stack import SINK, BenchStack, bench_stack
from tests.benchmarks.machine import machine
from tests.benchmarks.watch_cost import scored_tweets
from tests.conditions import wait_until

DAYS: Final = 60
NEW_TWEETS: Final = 10_000
REMOVALS: Final = 50
CHUNK: Final = 250_000
_FIRST_ID: Final = 1_000_000_000_000_000_000
_AUTHORS: Final = 1_000_003

_TWEETS: Final = """
INSERT INTO tweets (run, day, root_id, tweet_id, version, edit_history, posted_at, received_at,
    text, language, author_id, retweet_of, rules, hashtags, mentions, links, emoji,
    possibly_sensitive, source)
SELECT 'live', (%(first)s + interval '1 minute' * (n %% 86400))::date, (%(base)s + n)::text,
    (%(base)s + n)::text, 0, '{}', %(first)s + interval '1 minute' * (n %% 86400), now(),
    'a made up text of some length with words ' || md5(n::text) || ' and a #tag', 'en',
    (n %% %(authors)s)::text, CASE WHEN n %% 4 = 0 THEN (%(base)s + n / 2)::text END,
    ARRAY['rule ' || n %% 1000], ARRAY['tag' || n %% 5000], '{}', '{}', '{}', false, 'bench'
FROM generate_series(%(low)s, %(high)s) AS n
"""
_SCORES: Final = """
INSERT INTO scores (run, day, root_id, model_id, version, counts, label, confidence, probabilities,
    scored_at)
SELECT 'live', (%(first)s + interval '1 minute' * (n %% 86400))::date, (%(base)s + n)::text,
    (SELECT min(model_id) FROM models), 0, true, 'negative', .9,
    '{"negative": 0.9, "neutral": 0.08, "positive": 0.02}', now()
FROM generate_series(%(low)s, %(high)s) AS n
"""
_ROOTS: Final = """
INSERT INTO live_roots (root_id, day)
SELECT (%(base)s + n)::text, (%(first)s + interval '1 minute' * (n %% 86400))::date
FROM generate_series(%(low)s, %(high)s) AS n
"""


class StoredRows:
    """A database that grows, and the sink at work on it."""

    def __init__(self, bench: BenchStack, cur: cursor) -> None:
        self._bench, self._cur = bench, cur
        self._first = (datetime.now(UTC) - timedelta(days=DAYS - 1)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        self._publisher = ConfirmingPublisher(bench.settings.kafka_connection, "bench")
        self._tweets = scored_tweets(10**9, rules=1_000, an_hour=NEW_TWEETS, run=LIVE)
        self._chance = random.Random(1)
        self.rows = 0

    def publish(self, events: Sequence[Event]) -> None:
        """Publish events as scoring does."""
        for event in events:
            self._publisher.publish(
                self._bench.settings.names.topic(SCORED),
                key=key_of(event),
                value=encode(event),
                headers=headers_of(event),
            )
        self._publisher.confirm()

    def grow(self, rows: int) -> float:
        """Make rows up to this number; return the seconds that it took."""
        began_s = time.perf_counter()
        days = [(self._first + timedelta(days=day)).date() for day in range(DAYS)]
        ensure_runs(self._cur, {LIVE: days})
        while self.rows < rows:
            high = min(self.rows + CHUNK, rows)
            values = {
                "first": self._first,
                "base": _FIRST_ID,
                "authors": _AUTHORS,
                "low": self.rows,
                "high": high - 1,
            }
            for statement in (_TWEETS, _SCORES, _ROOTS):
                self._cur.execute(statement, values)
            self.rows = high
        self._cur.execute("ANALYZE tweets, scores, live_roots")
        return time.perf_counter() - began_s

    def store(self, count: int) -> dict[str, Any]:
        """Have the sink store new tweets, and say what each costs."""
        events = [next(self._tweets) for _ in range(count)]
        before, began_s = self._bench.usage(), time.perf_counter()
        self.publish(events)
        self._bench.wait_until_done(600)
        wall_s, after = time.perf_counter() - began_s, self._bench.usage()
        return {
            "stored_tweets_per_s": round(count / wall_s),
            "cpu_us_per_tweet": {
                name: round((after[name].cpu_s - before[name].cpu_s) / count * 1e6)
                for name in ("sink", "postgres")
            },
        }

    def remove(self, count: int) -> dict[str, float]:
        """Have the sink remove old tweets one after the other; return milliseconds each."""
        waits_ms = []
        for _ in range(count):
            gone = str(_FIRST_ID + self._chance.randrange(self.rows))
            event = TweetDeleted(
                run=LIVE, tweet_id=gone, received_at=datetime.now(UTC), source="bench"
            )
            began_s = time.perf_counter()
            self.publish([event])
            wait_until(partial(self._is_gone, gone), 60, "a tweet to be gone", every_s=0.005)
            waits_ms.append((time.perf_counter() - began_s) * 1_000)
        ordered = sorted(waits_ms)
        return {
            "p50_ms": round(statistics.median(ordered), 1),
            "p95_ms": round(ordered[int(count * 0.95)], 1),
            "worst_ms": round(ordered[-1], 1),
        }

    def size_gb(self) -> float:
        """Return how large the database is."""
        self._cur.execute("SELECT pg_database_size(current_database())")
        ((size_bytes,),) = self._cur.fetchall()
        return round(int(size_bytes) / 1e9, 2)

    def _is_gone(self, root_id: str) -> bool:
        self._cur.execute("SELECT 1 FROM live_roots WHERE root_id = %s", (root_id,))
        return not self._cur.fetchall()


def measure(sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Measure at each number of stored rows, the smallest first."""
    measured: list[dict[str, Any]] = []
    with bench_stack() as bench:
        bench.start("sink", SINK)
        with closing(connect_postgres(bench.settings.postgres_connection, "bench")) as connection:
            connection.autocommit = True
            stored = StoredRows(bench, connection.cursor())
            stored.store(100)
            for rows in sorted(sizes):
                made_s = stored.grow(rows)
                measured.append(
                    {"rows": rows, "rows_made_per_s": round(rows / made_s)}
                    | stored.store(NEW_TWEETS)
                    | {"removal": stored.remove(REMOVALS), "database_gb": stored.size_gb()}
                )
                sys.stderr.write(f"{json.dumps(measured[-1])}\n")
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    arguments = parser.parse_args()
    document = {"machine": machine(), "sizes": measure(arguments.rows)}
    sys.stdout.write(f"{json.dumps(document, indent=2)}\n")


if __name__ == "__main__":
    main()
