"""Audits that came in since the last window was judged: whether people and the model agree."""

from datetime import datetime

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from retrain.drift.window import WindowKey


def take_new_audits(cur: cursor, key: WindowKey, until: datetime) -> list[bool]:
    """Return whether the model was wrong, of each audit of its answers that was not taken yet.

    Of tweets that were posted before `until`, in the order in which people labelled. What is taken
    is noted in the same transaction.
    """
    cur.execute(
        "SELECT a.root_id, a.version, a.label <> s.label FROM audits AS a"
        " JOIN scores AS s ON s.run = a.run AND s.root_id = a.root_id AND s.version = a.version"
        " AND s.counts JOIN models AS m USING (model_id) JOIN tweets AS t ON t.run = s.run"
        " AND t.day = s.day AND t.root_id = s.root_id"
        " WHERE a.run = %s AND s.run = %s AND t.run = %s AND m.sha256 = %s AND t.posted_at < %s"
        " AND NOT EXISTS"
        " (SELECT FROM watch_audits AS w WHERE (w.run, w.root_id, w.version)"
        " = (a.run, a.root_id, a.version)) ORDER BY a.labelled_at, a.root_id, a.version",
        (key.run, key.run, key.run, key.model_sha256, until),
    )
    found = cur.fetchall()
    execute_values(
        cur,
        "INSERT INTO watch_audits (run, root_id, version) VALUES %s",
        [(key.run, root_id, version) for root_id, version, _ in found],
    )
    return [wrong for _, _, wrong in found]
