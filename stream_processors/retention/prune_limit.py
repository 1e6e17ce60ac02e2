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


def today(cur: cursor) -> date:
    """Return the date in UTC by the database's clock: what is kept is not for a host's to say."""
    cur.execute("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
    ((day,),) = cur.fetchall()
    if not isinstance(day, date):
        raise TypeError("PostgreSQL answers with a date")
    return day


def raise_limit(cur: cursor, first_day: date) -> date:
    """Remember a first day and return the one that now holds: it never goes back by this."""
    cur.execute(
        "INSERT INTO kept_days AS k (run, kept_from) VALUES (%s, %s)"
        " ON CONFLICT (run) DO UPDATE SET pruned_at = now(),"
        " kept_from = greatest(k.kept_from, excluded.kept_from)",
        (LIVE, first_day),
    )
    return kept_from(cur)


def lower_limit(cur: cursor, first_day: date) -> date:
    """Remember an earlier first day and return the one that now holds: never a later one.

    What was dropped stays dropped, and its figures stay; from now on tweets of those days are
    stored again, and count. One that was dropped and comes again counts again.
    """
    cur.execute(
        "UPDATE kept_days SET kept_from = least(kept_from, %s) WHERE run = %s", (first_day, LIVE)
    )
    return kept_from(cur)
