"""The partitions of single days."""

import re
from datetime import date, datetime
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.partitioned_tables import BY_DAY

_OF_A_DAY: Final = re.compile(r"_(\d{8})$")


class DayPartition(Struct, frozen=True, kw_only=True):
    """A table that holds one day of `live`.

    `parent` is None where it was detached and not yet dropped; `pending` where its detaching was
    begun and interrupted.
    """

    name: str
    parent: str | None
    day: date
    pending: bool
    size_bytes: int


def partitions_before(cur: cursor, first_day: date) -> list[DayPartition]:
    """Return the partitions of days before a day, oldest first, also those that are half gone."""
    cur.execute("SELECT run_no FROM runs WHERE run = %s", (LIVE,))
    parents = [f"{table}_{run_no}" for (run_no,) in cur.fetchall() for table in BY_DAY]
    cur.execute(
        "SELECT c.relname, p.relname, coalesce(i.inhdetachpending, false),"
        " pg_total_relation_size(c.oid)"
        " FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid"
        " LEFT JOIN pg_class AS p ON p.oid = i.inhparent"
        " WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid)"
        r" AND regexp_replace(c.relname, '_\d{8}$', '') = ANY(%s) AND c.relname ~ '_\d{8}$'",
        (parents,),
    )
    found = [
        DayPartition(
            name=name, parent=parent, day=_day(name), pending=pending, size_bytes=size_bytes
        )
        for name, parent, pending, size_bytes in cur
    ]
    old = [partition for partition in found if partition.day < first_day]
    return sorted(old, key=lambda partition: (partition.day, partition.name))


def _day(name: str) -> date:
    match = _OF_A_DAY.search(name)
    if match is None:
        raise ValueError(f"{name} names no day")
    return datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007  a date has no zone
