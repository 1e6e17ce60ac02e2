"""The figures of a run: from Redis, and from PostgreSQL where Redis has none."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import redis
from msgspec import Struct

from schemas import cache_keys
from schemas.known_runs import default_run, require_run
from schemas.setting_views import AggregatesCacheSettings
from schemas.transport.postgres import Connection, PostgresUnavailable
from stream_processors.aggregates.aggregates import EVERYTHING, Aggregates, Selection
from stream_processors.aggregates.cache import AggregatesCache
from stream_processors.aggregates.from_postgres import aggregates_of, reads_tweets
from stream_processors.aggregates.time_windows import Window


class Totals(Struct, frozen=True, kw_only=True):
    """Aggregates with the place they came from: `redis` or `postgres`.

    `note` says why PostgreSQL had to be asked, and is empty otherwise.
    """

    source: str
    note: str
    aggregates: Aggregates


def read_totals(
    run: str | None,
    window: Window,
    now: datetime,
    selection: Selection = EVERYTHING,
    *,
    cache: AggregatesCacheSettings,
    connect_redis: Callable[[], "redis.Redis"],
    lend_postgres: Callable[[], AbstractContextManager[Connection]],
    most_rows: int | None = None,
) -> Totals:
    """Return a run's figures over a window, of all tweets or of a selection.

    No run means `live` if it has tweets, else the one that changed last. `most_rows` bounds what
    is read of the tweets of one rule or label, as in `aggregates_of`.

    A run that is named, over a window that is kept, needs no PostgreSQL: neither server is asked
    for a connection before it is needed. Raises `UnknownRun`, and `PostgresUnavailable` where
    neither server can answer.
    """
    if run is None:
        run = _default_run(lend_postgres)
    cached, note = _from_cache(cache, connect_redis, run, window, selection)
    if cached is not None:
        return Totals(source="redis", note="", aggregates=cached)
    try:
        with lend_postgres() as connection:
            require_run(connection, run)
            (found,) = aggregates_of(connection, run, [window], now, selection, most_rows=most_rows)
    except PostgresUnavailable as error:
        raise PostgresUnavailable(f"{note}, and {error}") from error
    return Totals(source="postgres", note=note, aggregates=found)


def _default_run(lend_postgres: Callable[[], AbstractContextManager[Connection]]) -> str:
    try:
        with lend_postgres() as connection:
            return default_run(connection)
    except PostgresUnavailable as error:
        raise PostgresUnavailable(
            f"the runs are not known (--run NAME may be in Redis): {error}"
        ) from error


def _from_cache(
    cache: AggregatesCacheSettings,
    connect_redis: Callable[[], "redis.Redis"],
    run: str,
    window: Window,
    selection: Selection,
) -> tuple[Aggregates | None, str]:
    if reads_tweets(selection):
        return None, "counted from the tweets themselves"
    if selection:
        return None, "Redis keeps only the figures of all tweets"
    if window.name not in cache_keys.WINDOWS:
        return None, f"Redis keeps only the windows {', '.join(cache_keys.WINDOWS)}"
    try:
        with connect_redis() as client:
            found = AggregatesCache(client, cache.prefix, cache.ttl_s).read(run, window.name)
    except redis.RedisError:
        return None, "Redis does not answer"
    return found, "" if found else "Redis does not hold this run"
