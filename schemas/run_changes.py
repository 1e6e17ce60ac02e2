"""When the figures of a run last moved: whoever moves them notes it, and the refresher follows."""

from collections.abc import Iterable

from psycopg2.extensions import cursor


def touch_runs(cur: cursor, runs: Iterable[str]) -> None:
    """Note that figures of runs moved, at most once a second for each.

    Figures are also the audited shares: whoever writes, changes or deletes people's labels calls
    this as the last statement of the transaction. The row is shared by all writers: to write it in
    every transaction would line them up, and to hold it for long would hold up the sinks.
    """
    for run in sorted(runs):
        cur.execute(
            "UPDATE runs SET changed_at = clock_timestamp()"
            " WHERE run = %s AND changed_at < clock_timestamp() - interval '1 second'",
            (run,),
        )
