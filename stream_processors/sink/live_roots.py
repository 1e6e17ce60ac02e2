"""On which day each tweet of `live` is stored.

`live` is partitioned by day, and the day of one root id may come out differently: an archive is
moved in time, or gives no time for an id that holds none. Without this table each look-up of a root
id would be one in the index of every day; with it, it is one in a single index.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.events import LIVE
from stream_processors.sink.rows import Row

_PAGE = 1_000


def days_of(cur: cursor, root_ids: Sequence[str]) -> dict[str, date]:
    """Return the day of each root id that `live` has."""
    cur.execute("SELECT root_id, day FROM live_roots WHERE root_id = ANY(%s)", (list(root_ids),))
    return dict(cur.fetchall())


def add_roots(cur: cursor, rows: Iterable[Row]) -> set[str]:
    """Note the days of those rows that belong to `live`; return the root ids that are new."""
    added = execute_values(
        cur,
        "INSERT INTO live_roots (root_id, day) VALUES %s ON CONFLICT DO NOTHING RETURNING root_id",
        sorted((row.root_id, row.posted_at.date()) for row in rows if row.run == LIVE),
        page_size=_PAGE,
        fetch=True,
    )
    return {root_id for (root_id,) in added}


def forget_roots(cur: cursor, root_ids: Iterable[str]) -> None:
    """Forget root ids of which `live` has no tweet any more."""
    gone = sorted(root_ids)
    if gone:
        cur.execute("DELETE FROM live_roots WHERE root_id = ANY(%s)", (gone,))
