"""What the watch has stored, apart from when it was stored: for tests that compare two watches."""

from typing import Any, Final

from schemas.transport.postgres import Connection

STORED: Final = {
    "watch_windows": "run, start, rule, model_sha256, on_time::text, late::text",
    "watch_hashtags": "run, start, rule, model_sha256, hashtag, tweets",
    "watch_states": "run, rule, model_sha256, first_start, learns_from, state::text",
    "watch_references": "run, rule, model_sha256, span_from, span_until, used, tweets,"
    " reference::text",
    "watch_rules": "run, rule",
    "watch_runs": "run, window_s, lateness_s, closed_until",
    "watch_watermarks": "run, topic_id, partition, posted_at",
    "watch_samples": "run, window_start, rank, root_id, author_id, words",
    "alarms": "alarm_id, run, rule, signal, subject, kind, detector, model_sha256, since,"
    " window_start, window_end, value, reference, tweets, false_alarms_per_year,"
    " ended_window_start, ended_window_end, ended_value",
}
"""Every column but those that hold the time of storing."""


def watched(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that a watch has stored, by table, in order."""
    found = {}
    with connection, connection.cursor() as cur:
        for table, columns in STORED.items():
            cur.execute(f"SELECT {columns} FROM {table}")  # noqa: S608
            found[table] = sorted(cur.fetchall(), key=repr)
    return found


def forget(connection: Connection) -> None:
    """Let the next watch begin at the beginning of the topic."""
    with connection, connection.cursor() as cur:
        for table in (*STORED, "watch_recomputed", "watch_audits", "watch_seen"):
            cur.execute(f"DELETE FROM {table}")  # noqa: S608
        for table in ("positions", "earlier_positions"):
            cur.execute(f"DELETE FROM {table} WHERE consumer = 'watch'")  # noqa: S608
