"""What is stored of the tweets that people label."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Final, NamedTuple

from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.transport.postgres import Connection

_DAYS_AT_ONCE: Final = 30
"""Partitions that one look-up locks, with their indexes."""


class StoredVersion(NamedTuple):
    """The version of a tweet that is stored, and on which day."""

    version: int
    day: date


class ShownTweet(NamedTuple):
    """What a person is shown of a tweet; `label` and `confidence` are the model's."""

    root_id: str
    version: int
    posted_at: datetime
    text: str
    label: str
    confidence: float


def stored_versions(cur: cursor, run: str, root_ids: Collection[str]) -> dict[str, StoredVersion]:
    """Return the stored version of those tweets that a run has; none of a day being pruned."""
    wanted = sorted(set(root_ids))
    by_day, days = _days(cur, run, wanted)
    cur.execute(
        f"SELECT root_id, version, day FROM tweets WHERE run = %(run)s AND root_id = ANY(%(roots)s)"  # noqa: S608  constants
        f" {by_day}",
        {"run": run, "roots": wanted, "days": days},
    )
    return {root_id: StoredVersion(version, day) for root_id, version, day in cur}


def shown_tweet(cur: cursor, run: str, root_id: str) -> ShownTweet | None:
    """Return a tweet in the version that is stored now, None where it has gone."""
    by_day, days = _days(cur, run, [root_id], "t")
    cur.execute(
        "SELECT t.root_id, t.version, t.posted_at, t.text, s.label, s.confidence FROM tweets AS t"  # noqa: S608  constants
        " JOIN scores AS s ON s.run = t.run AND s.day = t.day AND s.root_id = t.root_id"
        f" AND s.counts WHERE t.run = %(run)s AND t.root_id = ANY(%(roots)s) {by_day}",
        {"run": run, "roots": [root_id], "days": days},
    )
    found = cur.fetchone()
    return None if found is None else ShownTweet(*found)


def find_versions(
    connection: Connection, run: str, tweet_ids: Collection[str]
) -> dict[str, tuple[str, int]]:
    """Return root id and version that each id means, of those that a run has.

    An id is that of the first version or of a later one. Looks into `live` a month at a time.
    """
    with connection, connection.cursor() as cur:
        stored = stored_versions(cur, run, tweet_ids)
    found = {root_id: (root_id, 0) for root_id in stored}
    others = sorted(set(tweet_ids) - found.keys())
    for days in _months(connection, run) if others else ():
        with connection, connection.cursor() as cur:
            cur.execute(
                "SELECT root_id, edit_history FROM tweets WHERE run = %(run)s AND version > 0"  # noqa: S608  constants
                f" AND edit_history && %(ids)s::text[] {'' if days is None else _OF_DAYS}",
                {"run": run, "ids": others, "days": days},
            )
            for root_id, history in cur:
                found |= {id_: (root_id, at) for at, id_ in enumerate(history) if id_ in others}
    return found


_OF_DAYS: Final = "AND day = ANY(%(days)s)"


def _days(
    cur: cursor, run: str, root_ids: Collection[str], table: str = "tweets"
) -> tuple[str, list[date]]:
    """Return a condition on the days that hold root ids, for `live`, which has a table for each."""
    if run != LIVE:
        return "", []
    cur.execute(
        "SELECT DISTINCT r.day FROM live_roots AS r LEFT JOIN kept_days AS k ON k.run = %s"
        " WHERE r.root_id = ANY(%s) AND r.day >= coalesce(k.kept_from, '-infinity')",
        (LIVE, list(root_ids)),
    )
    condition = f"AND {table}.day = ANY(%(days)s::date[])"
    if table != "tweets":
        condition += " AND s.day = ANY(%(days)s::date[])"
    return condition, sorted(day for (day,) in cur)


def _months(connection: Connection, run: str) -> Iterator[list[date] | None]:
    """Yield the days of `live` some at a time; None for a run whose days share a table."""
    if run != LIVE:
        yield None
        return
    with connection, connection.cursor() as cur:
        cur.execute("SELECT DISTINCT day FROM live_roots ORDER BY day")
        days = iter([day for (day,) in cur])
    while some := list(islice(days, _DAYS_AT_ONCE)):
        yield some
