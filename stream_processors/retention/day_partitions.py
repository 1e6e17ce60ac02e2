"""The partitions of single days, and of months of days that were old when they came."""

import calendar
import re
from datetime import date
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.partitioned_tables import BY_DAY

_PERIOD: Final = re.compile(r"_(\d{4})(\d{2})(\d{2})?$")


class DayPartition(Struct, frozen=True, kw_only=True):
    """A table that holds `live` from `day` to `last_day`: one day, or a month.

    `parent` is None where it was detached and not yet dropped; `pending` where its detaching was
    begun and interrupted.
    """

    name: str
    parent: str | None
    day: date
    last_day: date
    pending: bool

    @property
    def days(self) -> int:
        """How many days it may hold."""
        return (self.last_day - self.day).days + 1

    @property
    def holds_tweets(self) -> bool:
        """Whether it is one of the tweets, and not of their scores."""
        return self.name.startswith("tweets_")


def partitions_before(cur: cursor, first_day: date) -> list[DayPartition]:
    """Return the partitions that hold nothing but days before a day, oldest first.

    Also those that are half gone.
    """
    return [partition for partition in _partitions(cur) if partition.last_day < first_day]


def partitions_across(cur: cursor, first_day: date) -> list[DayPartition]:
    """Return the partitions that hold days before a day, and that day too."""
    return [each for each in _partitions(cur) if each.day < first_day <= each.last_day]


def size_bytes_of(cur: cursor, partition: DayPartition) -> int:
    """Return what a partition takes on disk; 0 where it has gone meanwhile."""
    cur.execute("SELECT coalesce(pg_total_relation_size(to_regclass(%s)), 0)", (partition.name,))
    ((size_bytes,),) = cur.fetchall()
    return int(size_bytes)


def _partitions(cur: cursor) -> list[DayPartition]:
    cur.execute("SELECT run_no FROM runs WHERE run = %s", (LIVE,))
    parents = [f"{table}_{run_no}" for (run_no,) in cur.fetchall() for table in BY_DAY]
    cur.execute(
        "SELECT c.relname, p.relname, coalesce(i.inhdetachpending, false)"
        " FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid"
        " LEFT JOIN pg_class AS p ON p.oid = i.inhparent"
        " WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid)"
        r" AND regexp_replace(c.relname, '_\d{6}(\d{2})?$', '') = ANY(%s)"
        r" AND c.relname ~ '_\d{6}(\d{2})?$'",
        (parents,),
    )
    found = []
    for name, parent, pending in cur:
        first, last = _period(name)
        found.append(
            DayPartition(name=name, parent=parent, day=first, last_day=last, pending=pending)
        )
    return sorted(found, key=lambda partition: (partition.day, partition.name))


def _period(name: str) -> tuple[date, date]:
    match = _PERIOD.search(name)
    if match is None:
        raise ValueError(f"{name} names no day and no month")
    year, month = int(match[1]), int(match[2])
    if match[3]:
        day = date(year, month, int(match[3]))
        return day, day
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
