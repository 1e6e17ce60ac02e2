"""On which day each tweet of `live` is stored.

`live` is partitioned by day, and the day of one root id may come out differently: an archive is
moved in time, or gives no time for an id that holds none. Without this table each look-up of a root
id would be one in the index of every day; with it, it is one in a single index.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from psycopg2.extensions import cursor

from schemas.events import LIVE
from stream_processors.sink.rows import Row

_ADD: Final = "INSERT INTO live_roots (root_id, day) SELECT * FROM unnest(%s::text[], %s::date[])"
_ADD_KNOWN: Final = f"{_ADD} ON CONFLICT DO NOTHING"


def days_of(cur: cursor, root_ids: Sequence[str]) -> dict[str, date]:
    """Return the day of each root id that `live` has."""
    cur.execute("SELECT root_id, day FROM live_roots WHERE root_id = ANY(%s)", (list(root_ids),))
    return dict(cur.fetchall())


def add_roots(cur: cursor, rows: Iterable[Row], *, known: bool) -> None:
    """Note the days of those rows that belong to `live`.

    Raises `psycopg2.errors.UniqueViolation` where a root id has a day already, unless they are
    `known`: those get one where a sink of an older release has noted none.
    """
    roots = sorted((row.root_id, row.posted_at.date()) for row in rows if row.run == LIVE)
    if roots:
        root_ids, days = zip(*roots, strict=True)
        cur.execute(_ADD_KNOWN if known else _ADD, (list(root_ids), list(days)))


def forget_roots(cur: cursor, root_ids: Iterable[str]) -> None:
    """Forget root ids of which `live` has no tweet any more."""
    gone = sorted(root_ids)
    if gone:
        cur.execute("DELETE FROM live_roots WHERE root_id = ANY(%s)", (gone,))
