"""Keeps Redis filled with the aggregates of every run that moves."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import psycopg2
import redis
from prometheus_client import CollectorRegistry

from schemas import cache_keys, locks
from schemas.process import metric_list
from schemas.settings import Settings
from schemas.transport.postgres import Connection, PostgresUnavailable
from stream_processors.aggregates.cache import AggregatesCache
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.refresh_plan import RunChange, due
from stream_processors.aggregates.share_metrics import ShareMetrics
from stream_processors.aggregates.time_windows import parse_window

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 10.0


_OF_ONE_RUN: Final = (
    psycopg2.DataError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
)
"""Faults of a run's own figures: other runs are refreshed, and this one when it has moved."""


class _Refreshed(NamedTuple):
    changed_at: datetime
    at: datetime


class Refresher:
    """Writes the aggregates of moving runs to Redis, one refresher at a time over all processes.

    Whoever holds PostgreSQL's advisory lock `locks.REFRESHER` refreshes; the others ask for it
    again at each round and get it once its holder's connection is gone. The figures that a run
    ends with always get in. A server that is away is logged once, waited for with a back-off (at
    most 10 s) and costs the calling process nothing else.
    """

    def __init__(
        self,
        *,
        connect_postgres: Callable[[], Connection],
        connect_redis: Callable[[], "redis.Redis"],
        settings: Settings,
        clock: Callable[[], datetime],
        registry: CollectorRegistry,
    ) -> None:
        self._connect_postgres = connect_postgres
        self._connect_redis = connect_redis
        self._settings = settings
        self._clock = clock
        self._round_seconds = metric_list.AGGREGATES_REFRESH.register(registry)
        self._last_refresh = metric_list.AGGREGATES_LAST_REFRESH.register(registry)
        self._failed_rounds = metric_list.AGGREGATES_REFRESH_FAILURES.register(registry)
        self._failed_refreshes = metric_list.AGGREGATES_FAILED_RUNS.register(registry)
        self._shares = ShareMetrics(registry)
        self._ttl = timedelta(seconds=settings.cache_ttl_s)
        self._windows = [parse_window(name) for name in cache_keys.WINDOWS]
        self._connection: Connection | None = None
        self._client: redis.Redis | None = None
        self._is_refresher = False
        self._refreshed: dict[str, _Refreshed] = {}
        self._failed_runs: dict[str, datetime] = {}
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Refresh until `stop` is set, then give up the lock and close the connections."""
        try:
            while not stop.is_set():
                stop.wait(self.round())
        finally:
            self._disconnect()

    def round(self) -> float:
        """Do one round; return for how many seconds to pause."""
        try:
            self._refresh_what_is_due()
        except (psycopg2.Error, PostgresUnavailable) as error:
            return self._failed("PostgreSQL", error)
        except redis.RedisError as error:
            return self._failed("Redis", error)
        if self._failures:
            logger.info("aggregates are refreshed again")
        self._failures = 0
        return self._settings.refresh_interval_s

    def _refresh_what_is_due(self) -> None:
        connection = self._locked_connection()
        if connection is None:
            return
        cache = self._cache()
        started_s = time.perf_counter()
        changes, db_now = _changes(connection)
        self._forget(cache, changes, db_now)
        known = {run: refreshed.changed_at for run, refreshed in self._refreshed.items()}
        runs = due(changes, known, db_now, self._ttl)
        for change in changes:
            if change.run in runs or (change.run in known and not cache.complete(change.run)):
                self._refresh(connection, cache, change, db_now)
        self._round_seconds.observe(time.perf_counter() - started_s)
        self._last_refresh.set(self._clock().timestamp())

    def _refresh(
        self, connection: Connection, cache: AggregatesCache, change: RunChange, db_now: datetime
    ) -> None:
        if self._failed_runs.get(change.run) == change.changed_at:
            return
        try:
            figures = aggregates_of(connection, change.run, self._windows, self._clock())
            cache.write(figures)
            self._shares.show(figures)
        except _OF_ONE_RUN as error:
            self._failed_runs[change.run] = change.changed_at
            self._failed_refreshes.inc()
            logger.exception(
                "the aggregates of run %s are not refreshed: %s", change.run, type(error).__name__
            )
            # What is held of it would look like figures of now.
            cache.forget(change.run)
        else:
            self._failed_runs.pop(change.run, None)
            self._refreshed[change.run] = _Refreshed(change.changed_at, db_now)

    def _forget(self, cache: AggregatesCache, changes: list[RunChange], db_now: datetime) -> None:
        existing = {change.run for change in changes}
        for run in self._failed_runs.keys() - existing:
            del self._failed_runs[run]
        for run, refreshed in list(self._refreshed.items()):
            if run not in existing:
                # It may have been deleted between the reading of its figures and their writing.
                cache.forget(run)
                del self._refreshed[run]
            elif refreshed.at < db_now - self._ttl:
                del self._refreshed[run]

    def _locked_connection(self) -> Connection | None:
        if self._connection is None or self._connection.closed:
            self._is_refresher = False
            self._connection = self._connect_postgres()
        if not self._is_refresher:
            with self._connection, self._connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", (locks.REFRESHER,))
                self._is_refresher = bool(cursor.fetchall()[0][0])
            if self._is_refresher:
                self._refreshed.clear()
                logger.info("this process refreshes the aggregates")
        return self._connection if self._is_refresher else None

    def _cache(self) -> AggregatesCache:
        if self._client is None:
            self._client = self._connect_redis()
        settings = self._settings
        return AggregatesCache(self._client, settings.topic_prefix, settings.cache_ttl_s)

    def _failed(self, server: str, error: Exception) -> float:
        self._failed_rounds.labels(server).inc()
        if not self._failures:
            logger.warning(
                "aggregates are not refreshed: %s: %s", server, " ".join(str(error).split())
            )
        self._failures += 1
        if server == "PostgreSQL":
            self._disconnect_postgres()
        else:
            self._disconnect_redis()
        doubled = self._settings.refresh_interval_s * 2.0 ** min(self._failures, 16)
        return min(doubled, _LONGEST_PAUSE_S)

    def _disconnect_postgres(self) -> None:
        self._is_refresher = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _disconnect(self) -> None:
        self._disconnect_postgres()
        self._disconnect_redis()

    def _disconnect_redis(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _changes(connection: Connection) -> tuple[list[RunChange], datetime]:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        db_now: datetime = cursor.fetchall()[0][0]
        cursor.execute(
            "SELECT run, changed_at FROM runs WHERE changed_at > '-infinity' ORDER BY run"
        )
        return [RunChange(*row) for row in cursor], db_now
