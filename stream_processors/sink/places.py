"""Where what a removal concerns is stored.

A removal of `live` reaches all runs, and an author's tweets stand on any day. Asked of all
partitions at once, that takes a lock on each of their tables and indexes: a few hundred days are
more than PostgreSQL has by default. So each partition is asked by itself, in a transaction of its
own, while nobody else adds tweets or removes any.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import psycopg2.errors
from psycopg2 import sql
from psycopg2.extensions import cursor

from schemas import locks
from schemas.events import LIVE
from schemas.transport.postgres import Connection
from stream_processors.sink.rows import Tombstone

_LEAVES = """
    WITH RECURSIVE parts AS (
        SELECT inhrelid AS oid FROM pg_inherits WHERE inhparent = 'tweets'::regclass
        UNION ALL
        SELECT i.inhrelid FROM pg_inherits AS i JOIN parts AS p ON i.inhparent = p.oid
        WHERE NOT i.inhdetachpending
    )
    SELECT c.relname FROM parts JOIN pg_class AS c USING (oid)
    WHERE c.relkind = 'r' ORDER BY c.relname
"""
_CONCERNED = """
    SELECT t.run, t.day, t.root_id FROM {} AS t
    WHERE (t.root_id = ANY(%(tweets)s)
        OR (t.version > 0 AND t.edit_history && %(tweets)s::text[])
        OR t.retweet_of = ANY(%(tweets)s)
        OR t.author_id = ANY(%(authors)s) OR t.retweet_of_author = ANY(%(authors)s))
"""
_PARTITION_OF_RUN = """
    SELECT 'tweets_' || run_no FROM runs WHERE run = %s
"""


@dataclass
class Places:
    """Root ids by run and day."""

    roots: dict[tuple[str, date], set[str]] = field(default_factory=lambda: defaultdict(set))

    def of_run(self, run: str) -> tuple[list[date], list[str]]:
        """Return the days and the root ids of a run."""
        mine = {day: roots for (name, day), roots in self.roots.items() if name == run}
        return sorted(mine), sorted(set().union(*mine.values()))

    @property
    def runs(self) -> list[str]:
        """The runs that have some."""
        return sorted({run for run, _ in self.roots})


NOWHERE = Places()


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Keep everybody else from adding tweets or removing any, over several transactions."""
    with connection, connection.cursor() as cur:
        cur.execute("SELECT pg_advisory_lock(%s)", (locks.REMOVALS,))
    try:
        yield
    finally:
        # A connection that broke has given the lock back.
        if not connection.closed:
            connection.rollback()
            with connection, connection.cursor() as cur:
                cur.execute("SELECT pg_advisory_unlock(%s)", (locks.REMOVALS,))


def find_places(connection: Connection, tombstones: Iterable[Tombstone]) -> Places:
    """Return where tweets stand that tombstones concern; call it within `alone`."""
    ids: dict[str, Mapping[str, list[str]]] = {}
    for tombstone in sorted(tombstones, key=lambda each: (each.run, each.kind, each.id)):
        of_run = ids.setdefault(tombstone.run, {"tweet": [], "author": []})
        of_run[tombstone.kind].append(tombstone.id)
    places = Places()
    connection.autocommit = True
    try:
        with connection.cursor() as cur:
            for run, of_run in ids.items():
                for leaf in _leaves(cur, run):
                    _look_into(cur, leaf, of_run, places)
    finally:
        if not connection.closed:
            connection.autocommit = False
    return places


def _leaves(cur: cursor, run: str) -> list[str]:
    if run == LIVE:
        cur.execute(_LEAVES)
    else:
        cur.execute(_PARTITION_OF_RUN, (run,))
    return [name for (name,) in cur]


def _look_into(cur: cursor, leaf: str, ids: Mapping[str, list[str]], places: Places) -> None:
    try:
        cur.execute(
            sql.SQL(_CONCERNED).format(sql.Identifier(leaf)),
            {"tweets": ids["tweet"], "authors": ids["author"]},
        )
    except psycopg2.errors.UndefinedTable:
        # Its days were pruned since the partitions were listed.
        return
    for run, day, root_id in cur:
        places.roots[run, day].add(root_id)
