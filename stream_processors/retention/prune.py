"""Dropping days of `live` while sinks write and people read."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Final, TypeVar

from msgspec import Struct
from psycopg2 import errors, sql
from psycopg2.extensions import cursor
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from schemas import locks
from schemas.equal_texts import delete_equal_texts
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.partitioned_tables import BY_TWEET
from schemas.transport.postgres import Connection
from stream_processors.retention.day_partitions import (
    DayPartition,
    partitions_across,
    partitions_before,
    size_bytes_of,
)
from stream_processors.retention.prune_limit import kept_from, raise_limit, today

_ATTEMPTS: Final = 6
_LOCK_TIMEOUT: Final = "3s"
"""While a lock is waited for, writers queue behind it: better to let them pass and try again."""

Result = TypeVar("Result")
_BUSY: Final = (errors.LockNotAvailable, errors.DeadlockDetected)


class PruneIsBusy(Failure):
    """Others held what it needs for too long; the limit holds, and some days are still there."""


class PrunedDay(Struct, frozen=True, kw_only=True):
    """A day that was dropped, or several from `day` on, and what their tables took on disk."""

    day: date
    size_bytes: int
    days: int = 1


class PruneReport(Struct, frozen=True, kw_only=True):
    """What was dropped, or with `dry_run` what would be; `kept_from` is the first day kept.

    Days that share a table with later ones are deleted from it, and are not among `days`.
    """

    kept_from: date
    days: tuple[PrunedDay, ...]
    dry_run: bool

    @property
    def day_count(self) -> int:
        """How many days those are: one stands for a month where its days shared a table."""
        return sum(day.days for day in self.days)


def prune(
    connection: Connection, first_day: date, *, dry_run: bool, attempts: int = _ATTEMPTS
) -> PruneReport:
    """Drop the tweets, scores and labels of `live` of all days before `first_day`; rollups stay.

    The limit is remembered first, under the lock that sinks share: from then on they store nothing
    of those days, so that no rollup moves for a tweet that is being dropped. Then each partition is
    detached without blocking anybody, and dropped. May be interrupted and repeated; a limit never
    goes back. Raises `PruneIsBusy`, and `Failure` for a day to come by the database's clock.
    """
    with connection, connection.cursor() as cur:
        now = today(cur)
    if first_day > now:
        raise Failure(f"by the database's clock it is {now}: no day after it is old")
    if dry_run:
        with connection, connection.cursor() as cur:
            limit = max(first_day, kept_from(cur))
    else:
        limit = _patiently(lambda: _remember(connection, first_day), attempts)
    # Each statement for itself: to look at the size of a table is to lock it.
    connection.autocommit = True
    try:
        with connection.cursor() as cur:
            partitions = partitions_before(cur, limit)
            sizes = [size_bytes_of(cur, partition) for partition in partitions]
            report = _report(limit, partitions, sizes, dry_run=dry_run)
            if dry_run:
                return report
            _set_lock_timeout(cur, "SET")
            # Before the tweets: of a root id that is noted there is a tweet.
            _patiently(partial(_forget_roots, cur, limit), attempts)
            for partition in partitions:
                _patiently(partial(_drop, cur, limit, partition.name), attempts)
            for partition in partitions_across(cur, limit):
                _patiently(partial(_delete_days, cur, limit, partition), attempts)
    finally:
        connection.autocommit = False
    return report


def takes_more_than_half(connection: Connection, report: PruneReport) -> bool:
    """Tell whether more than half of the days that are stored would be dropped.

    A clock that is wrong, or a length that was mistyped, looks like this; a daily call does not.
    """
    with connection, connection.cursor() as cur:
        held = {(each.day, each.days) for each in partitions_before(cur, date.max)}
    return 2 * report.day_count > sum(days for _, days in held)


def _remember(connection: Connection, first_day: date) -> date:
    with connection, connection.cursor() as cur:
        _set_lock_timeout(cur, "SET LOCAL")
        # The first waits for the batches under way, the second for days that are being made.
        for lock in (locks.REMOVALS, locks.RUN_CREATION):
            cur.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        return raise_limit(cur, first_day)


def _forget_roots(cur: cursor, limit: date) -> None:
    cur.execute("DELETE FROM live_roots WHERE day < %s", (limit,))


def _drop(cur: cursor, limit: date, name: str) -> None:
    """Go on from wherever an earlier attempt was interrupted."""
    for partition in partitions_before(cur, limit):
        if partition.name != name:
            continue
        if partition.holds_tweets:
            _delete_what_belongs_to(cur, limit, name)
        if partition.parent is not None:
            cur.execute(
                sql.SQL("ALTER TABLE {} DETACH PARTITION {} {}").format(
                    sql.Identifier(partition.parent),
                    sql.Identifier(name),
                    sql.SQL("FINALIZE" if partition.pending else "CONCURRENTLY"),
                )
            )
        cur.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))


def _delete_days(cur: cursor, limit: date, partition: DayPartition) -> None:
    """Delete the days of a month of which others are kept; its table stays until all are old."""
    if partition.holds_tweets:
        _delete_what_belongs_to(cur, limit, partition.name)
    statement = sql.SQL("DELETE FROM {} WHERE day < %s").format(sql.Identifier(partition.name))
    cur.execute(statement, (limit,))


def _delete_what_belongs_to(cur: cursor, limit: date, name: str) -> None:
    """Delete what hangs on the old tweets of a partition, while these still say which they are.

    Nothing is added to them meanwhile: whoever writes there looks at the limit, under its lock.
    """
    old = sql.SQL("FROM {} AS t WHERE t.day < %s").format(sql.Identifier(name))
    # Afterwards no deletion of a tweet could find them any more.
    delete_equal_texts(cur, old, (limit,))
    for table in BY_TWEET:
        statement = sql.SQL(
            "DELETE FROM {} AS b WHERE b.run = %s"
            " AND EXISTS (SELECT FROM {} AS t WHERE t.root_id = b.root_id AND t.day < %s)"
        ).format(sql.Identifier(table), sql.Identifier(name))
        cur.execute(statement, (LIVE, limit))


def _patiently(act: Callable[[], Result], attempts: int) -> Result:
    """Return what `act` returns, trying again while others hold its locks."""
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(_BUSY),
            stop=stop_after_attempt(attempts),
            wait=wait_fixed(0.5),
            reraise=True,
        ):
            with attempt:
                return act()
    except _BUSY as error:
        raise PruneIsBusy(
            "the tables are in use: stop long readers (an export?) and run the command again"
        ) from error
    raise AssertionError("the last attempt returns or raises")


def _set_lock_timeout(cur: cursor, command: str) -> None:
    statement = sql.SQL(f"{command} lock_timeout = {{}}")
    cur.execute(statement.format(sql.Literal(_LOCK_TIMEOUT)))


def _report(
    limit: date, partitions: Sequence[DayPartition], sizes_bytes: Sequence[int], *, dry_run: bool
) -> PruneReport:
    periods: dict[tuple[date, int], int] = {}
    for partition, size_bytes in zip(partitions, sizes_bytes, strict=True):
        period = partition.day, partition.days
        periods[period] = periods.get(period, 0) + size_bytes
    dropped = tuple(
        PrunedDay(day=day, size_bytes=size_bytes, days=days)
        for (day, days), size_bytes in periods.items()
    )
    return PruneReport(kept_from=limit, days=dropped, dry_run=dry_run)
