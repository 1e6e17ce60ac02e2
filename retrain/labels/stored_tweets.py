"""Which tweets of a run are stored, and in which version."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from psycopg2.extensions import cursor

from schemas.events import LIVE


class StoredVersion(NamedTuple):
    """The version of a tweet that is stored, and on which day."""

    version: int
    day: date


def stored_versions(cur: cursor, run: str, root_ids: Collection[str]) -> dict[str, StoredVersion]:
    """Return the stored version of those tweets that a run has; no day that is being pruned."""
    wanted = sorted(set(root_ids))
    if run != LIVE:
        cur.execute(
            "SELECT root_id, version, day FROM tweets WHERE run = %s AND root_id = ANY(%s)",
            (run, wanted),
        )
        return {root_id: StoredVersion(version, day) for root_id, version, day in cur}
    # The days first: asked of all days at once, each of their partitions would be locked.
    cur.execute(
        "SELECT DISTINCT r.day FROM live_roots AS r LEFT JOIN kept_days AS k ON k.run = %s"
        " WHERE r.root_id = ANY(%s) AND r.day >= coalesce(k.kept_from, '-infinity')",
        (LIVE, wanted),
    )
    days = sorted(day for (day,) in cur)
    cur.execute(
        "SELECT root_id, version, day FROM tweets"
        " WHERE run = %s AND day = ANY(%s) AND root_id = ANY(%s)",
        (LIVE, days, wanted),
    )
    return {root_id: StoredVersion(version, day) for root_id, version, day in cur}
