"""From which day on a run keeps its tweets."""

from datetime import date

from psycopg2.extensions import cursor

from schemas.events import LIVE


def kept_from(cur: cursor) -> date:
    """Return the first day of which `live` keeps tweets: what is older counts nowhere."""
    cur.execute("SELECT kept_from FROM kept_days WHERE run = %s", (LIVE,))
    row = cur.fetchone()
    limit: date = row[0] if row else date.min
    return limit


def raise_limit(cur: cursor, first_day: date) -> date:
    """Remember a first day and return the one that now holds: it never goes back."""
    cur.execute(
        "INSERT INTO kept_days AS k (run, kept_from) VALUES (%s, %s)"
        " ON CONFLICT (run) DO UPDATE SET pruned_at = now(),"
        " kept_from = greatest(k.kept_from, excluded.kept_from)",
        (LIVE, first_day),
    )
    return kept_from(cur)
