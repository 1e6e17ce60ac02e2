"""Deleting a run: its partitions, its rows, its figures in Redis."""

from typing import Any, Final

import redis
from psycopg2 import errors, sql
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from schemas import locks
from schemas.equal_texts import delete_equal_texts
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.known_runs import UnknownRun, require_run
from schemas.partitioned_tables import BY_TWEET, PARTITIONED
from schemas.settings import Settings
from schemas.stored_decisions import decision_in_use
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import Connection
from schemas.transport.publish_decision import publish_decision
from stream_processors.aggregates.cache import AggregatesCache

_WITH_RUN: Final = (
    *BY_TWEET,
    "dead_letters",
    "tombstones",
    "replay_files",
    "kept_days",
    "evaluations",
    "alarms",
    "watch_windows",
    "watch_hashtags",
    "watch_seen",
    "watch_states",
    "watch_references",
    "watch_watermarks",
    "watch_recomputed",
    "watch_rules",
    "watch_runs",
    "unknown_language_rollups",
    "decisions",
    "runs",
)
_ATTEMPTS: Final = 6
_LOCK_TIMEOUT: Final = "3s"
"""While a lock is waited for, writers queue behind it: better to let them pass and try again."""


class RunIsBusy(Failure):
    """Other transactions held what a deletion needs for too long; nothing was deleted."""


def delete_run(connection: Connection, run: str, *, attempts: int = _ATTEMPTS) -> None:
    """Delete a run in one transaction, or nothing of it.

    Events of the run that were published before this moment stay in Kafka and are ignored from
    now on; a replay that is still publishing brings the run back with what follows. Raises
    `UnknownRun`, and `RunIsBusy` where it could not get its locks (each attempt waits up to 3 s).
    """
    require_traces(connection, run)
    busy = (errors.LockNotAvailable, errors.DeadlockDetected)
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(busy),
            stop=stop_after_attempt(attempts),
            wait=wait_fixed(0.5),
            reraise=True,
        ):
            with attempt, connection, connection.cursor() as cursor:
                _delete(cursor, run)
    except busy as error:
        raise RunIsBusy(
            f"run {run!r} is in use, nothing was deleted: stop its replay, or close the "
            "transactions that use it, and run the command again"
        ) from error


def forget_in_redis(settings: Settings, run: str) -> bool:
    """Delete what Redis holds of a run; False where it does not answer (it forgets by itself)."""
    try:
        with connect_redis(settings.redis_connection) as client:
            AggregatesCache(client, settings.topic_prefix, settings.cache_ttl_s).forget(run)
    except redis.RedisError:
        return False
    return True


def uses_decision(connection: Connection, run: str) -> bool:
    """Tell whether scoring was told to decide a run's tweets: then it has to be told of the end."""
    with connection, connection.cursor() as cursor:
        return decision_in_use(cursor, run) is not None


def end_decision(settings: Settings, run: str) -> bool:
    """Have scoring use no decision for a run; False where Kafka did not take that."""
    try:
        publish_decision(settings.cluster, run, None)
    except Failure:
        return False
    return True


def require_traces(connection: Connection, run: str) -> None:
    """Raise `UnknownRun` where there is nothing of a run that could be deleted."""
    # A replay notes its files before the sink has seen its first tweet and made the run.
    with connection, connection.cursor() as cursor:
        if any(_holds(cursor, table, run) for table in _WITH_RUN):
            return
    require_run(connection, run)
    raise UnknownRun(f"there is no run {run!r}")


def _holds(cursor: Any, table: str, run: str) -> bool:
    statement = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE run = %s)")
    cursor.execute(statement.format(sql.Identifier(table)), (run,))
    return bool(cursor.fetchall()[0][0])


def _delete(cursor: Any, run: str) -> None:
    cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_LOCK_TIMEOUT)))
    # Once this is held no writer has a transaction open, so the tables' locks come at once.
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (locks.REMOVALS,))
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (locks.RUN_CREATION,))
    cursor.execute("SELECT run_no FROM runs WHERE run = %s", (run,))
    numbers = cursor.fetchall()
    # Afterwards no deletion of a tweet could find them any more.
    delete_equal_texts(cursor, sql.SQL("FROM tweets AS t WHERE run = %s"), (run,))
    for (run_no,) in numbers:
        for table in PARTITIONED:
            partition = sql.Identifier(f"{table}_{run_no}")
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(partition))
    for table in _WITH_RUN:
        statement = sql.SQL("DELETE FROM {} WHERE run = %s")
        cursor.execute(statement.format(sql.Identifier(table)), (run,))
    if run == LIVE:
        cursor.execute("DELETE FROM live_roots")
    cursor.execute(
        "INSERT INTO deleted_runs (run, deleted_at) VALUES (%s, clock_timestamp()) "
        "ON CONFLICT (run) DO UPDATE SET deleted_at = excluded.deleted_at",
        (run,),
    )


def refuse_live(run: str, allowed: bool) -> None:
    """Raise `Failure` for the live run unless its deletion was asked for by its own option."""
    if run == LIVE and not allowed:
        raise Failure("`live` is the live stream's whole history: add --really-live to delete it")
