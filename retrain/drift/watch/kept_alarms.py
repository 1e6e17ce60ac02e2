"""What people and receivers were told of alarms, kept where the alarms are made anew."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import cursor

_OF_ALARMS = (
    "raised_at, raised_published_at, acknowledged_at, acknowledged_by, acknowledged_note, ended_at,"
    " ended_published_at, ended_window_start"
)


@contextmanager
def alarms_made_anew(cur: cursor, run: str) -> Iterator[None]:
    """Forget the alarms of a run; the block records them anew, in the caller's transaction.

    One that is raised again by the same window is the same alarm: who was told of it is told no
    second time, and an acknowledgement stays. What ends as before counts as told, too.
    """
    cur.execute(
        f"CREATE TEMPORARY TABLE alarms_before ON COMMIT DROP AS SELECT alarm_id, {_OF_ALARMS}"  # noqa: S608
        " FROM alarms WHERE run = %s",
        (run,),
    )
    cur.execute(
        "CREATE TEMPORARY TABLE deliveries_before ON COMMIT DROP AS SELECT d.*"
        " FROM alarm_deliveries AS d JOIN alarms_before USING (alarm_id)"
    )
    cur.execute("DELETE FROM alarms WHERE run = %s", (run,))
    yield
    cur.execute(
        "UPDATE alarms AS a SET raised_at = b.raised_at,"
        " raised_published_at = b.raised_published_at, acknowledged_at = b.acknowledged_at,"
        " acknowledged_by = b.acknowledged_by, acknowledged_note = b.acknowledged_note"
        " FROM alarms_before AS b WHERE b.alarm_id = a.alarm_id"
    )
    cur.execute(
        "UPDATE alarms AS a SET ended_at = b.ended_at, ended_published_at = b.ended_published_at"
        " FROM alarms_before AS b WHERE b.alarm_id = a.alarm_id"
        " AND b.ended_window_start = a.ended_window_start"
    )
    cur.execute(
        "INSERT INTO alarm_deliveries SELECT d.* FROM deliveries_before AS d"
        " JOIN alarms AS a USING (alarm_id) ON CONFLICT DO NOTHING"
    )
