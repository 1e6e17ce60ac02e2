"""What is changed of stored scores: a score with what the rollups count of its tweet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.events import LIVE
from schemas.transport.postgres import Connection

OF_DAY: Final = "AND t.day = %(day)s AND s.day = %(day)s"
"""What keeps a statement about `live` to one day, and so to one partition of each table."""

_LIVE_DAYS = """
SELECT DISTINCT day FROM live_roots
WHERE day >= %(first)s::timestamptz::date AND day <= %(until)s::timestamptz::date ORDER BY day
"""


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A score with what the rollups count of its tweet."""

    run: str
    day: date
    root_id: str
    posted_at: datetime
    rules: tuple[str, ...]
    hashtags: tuple[str, ...]
    label: str
    confidence: float
    model_id: int
    counts: bool
    unknown_language: str | None = None


def days_of(
    connection: Connection, run: str, first: datetime, until: datetime
) -> Iterator[date | None]:
    """Yield the days of `live`, each a partition of its own; None for a replay, which has one."""
    if run != LIVE:
        yield None
        return
    with connection, connection.cursor() as cur:
        cur.execute(_LIVE_DAYS, {"first": first, "until": until})
        days = [day for (day,) in cur]
    yield from days
