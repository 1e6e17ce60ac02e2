"""Runs and their partitions: made when the first event of a run, or of a live day, arrives."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from psycopg2 import sql
from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.partitioned_tables import BY_DAY, PARTITIONED
from stream_processors.retention.prune_limit import today

DAYS_KEPT_APART: Final = 62
"""How old a day may be to get a partition of its own. An older one shares that of its month: what
an archive brings has few tweets a day, and since 2006 some 240 months, but thousands of days."""


def ensure_runs(cur: cursor, days_by_run: Mapping[str, Sequence[date]]) -> None:
    """Make what is missing of the runs and, for `live`, of its days; `RUN_CREATION` is held.

    Partitions are made apart and attached: that does not wait for those who read the tables.
    """
    now = today(cur)
    for run, days in sorted(days_by_run.items()):
        cur.execute(
            "INSERT INTO runs (run, kind, started_at) VALUES (%s, %s, now())"
            " ON CONFLICT (run) DO NOTHING",
            (run, "live" if run == LIVE else "replay"),
        )
        cur.execute("SELECT run_no FROM runs WHERE run = %s", (run,))
        (run_no,) = cur.fetchone() or (None,)
        for table in PARTITIONED:
            by_day = run == LIVE and table in BY_DAY
            partition = f"{table}_{run_no}"
            if not _exists(cur, partition):
                _create(cur, partition, like=table, by_day=by_day)
                cur.execute(
                    sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN (%s)").format(
                        sql.Identifier(table), sql.Identifier(partition)
                    ),
                    (run,),
                )
            for day in sorted(set(days)) if by_day else ():
                _ensure_day(cur, partition, day, now)


def _ensure_day(cur: cursor, parent: str, day: date, now: date) -> None:
    names = {name for (name,) in _partitions_of_month(cur, parent, day)}
    own, shared = f"{parent}_{day:%Y%m%d}", f"{parent}_{day:%Y%m}"
    if {own, shared} & names:
        return
    # A month that has days of their own goes on so: partitions must not overlap.
    together = not names and now - day > timedelta(days=DAYS_KEPT_APART)
    first = day.replace(day=1) if together else day
    end = first + timedelta(days=_days_in(first) if together else 1)
    partition = shared if together else own
    _create(cur, partition, like=parent, by_day=False)
    cur.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM (%s) TO (%s)").format(
            sql.Identifier(parent), sql.Identifier(partition)
        ),
        (first, end),
    )


def _partitions_of_month(cur: cursor, parent: str, day: date) -> list[tuple[str]]:
    cur.execute(
        "SELECT c.relname FROM pg_class AS c WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid)"
        " AND c.relname ~ %s",
        (f"^{parent}_{day:%Y%m}([0-9]{{2}})?$",),
    )
    return cur.fetchall()


def _days_in(first_of_month: date) -> int:
    return calendar.monthrange(first_of_month.year, first_of_month.month)[1]


def _exists(cur: cursor, table: str) -> bool:
    cur.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
    (exists,) = cur.fetchone() or (False,)
    return bool(exists)


def _create(cur: cursor, table: str, *, like: str, by_day: bool) -> None:
    cur.execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS){}").format(
            sql.Identifier(table),
            sql.Identifier(like),
            sql.SQL(" PARTITION BY RANGE (day)" if by_day else ""),
        )
    )
