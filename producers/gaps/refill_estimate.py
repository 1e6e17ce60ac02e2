"""About how many posts a refill of a gap reads: as many an hour as came around it."""

from datetime import datetime, timedelta
from typing import Final

from psycopg2.extensions import cursor

from producers.gaps.table import KnownGap
from schemas.events import LIVE

_AROUND: Final = timedelta(hours=24)


def estimated_posts(cur: cursor, gap: KnownGap, now: datetime) -> int | None:
    """Return about how many posts are missing; None where nothing came in the day before the gap.

    What was refilled already is left out. X charges for each post that is read.
    """
    begun = gap.refilled_until or gap.from_at
    missing = (gap.to_at or now) - begun
    cur.execute(
        "SELECT sum(tweets), count(DISTINCT bucket_start) FROM rollups"
        " WHERE run = %s AND granularity = 'hour' AND rule = ''"
        " AND bucket_start >= %s AND bucket_start < %s",
        (LIVE, gap.from_at - _AROUND, gap.from_at),
    )
    ((tweets, hours),) = cur.fetchall()
    if not hours:
        return None
    return round(max(missing, timedelta()) / timedelta(hours=1) * int(tweets) / int(hours))
