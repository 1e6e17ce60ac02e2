"""What the watch has stored, apart from when it was stored: for tests that compare two watches."""

from datetime import datetime, timedelta
from typing import Any, Final

from retrain.drift.watch.closing import Pace
from retrain.drift.watch.window_store import Counts, add_counts, ensure_run, note_closed
from retrain.drift.window import ALL_RULES, WindowCounts, WindowKey
from schemas.transport.postgres import Connection

STORED: Final = {
    "watch_windows": "run, start, rule, model_sha256, on_time::text, late::text",
    "watch_hashtags": "run, start, rule, model_sha256, hashtag, tweets",
    "watch_states": "run, rule, model_sha256, first_start, learns_from, state::text",
    "watch_references": "run, rule, model_sha256, span_from, span_until, used, tweets,"
    " reference::text",
    "watch_rules": "run, rule",
    "watch_runs": "run, window_s, lateness_s, closed_until, least_tweets",
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


def count_hours(
    connection: Connection, run: str, start: datetime, tweets: list[int], *, least_tweets: int = 50
) -> None:
    """Store hours as a watch counts and judges them: so many tweets in each from `start` on."""
    hour = timedelta(hours=1)
    counts = {
        WindowKey(run, ALL_RULES, "a" * 64, start + place * hour): Counts(
            WindowCounts(tweets=number + 1, retweets=1, by_label={"negative": number})
        )
        for place, number in enumerate(tweets)
    }
    with connection, connection.cursor() as cur:
        ensure_run(cur, run, Pace(hour, hour))
        add_counts(cur, counts)
        # The last hour may still grow.
        until = start + (len(tweets) - 1) * hour
        note_closed(cur, run, until, least_tweets=least_tweets)
