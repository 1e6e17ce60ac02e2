"""Windows in PostgreSQL: what of a run is counted, read and written within a transaction.

Whoever calls these holds `locks.WATCH`: two processes never move the same counts at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from retrain.drift.watch.closing import Pace
from retrain.drift.window import Window, WindowCounts, WindowKey

_PAGE: Final = 1_000
_DECODER: Final = msgspec.json.Decoder(WindowCounts)


class WatchedRun(Struct, frozen=True, kw_only=True):
    """A run as the watch knows it; windows that end by `closed_until` are judged."""

    run: str
    pace: Pace
    closed_until: datetime | None


class Counts(Struct, frozen=True):
    """What a window holds: tweets that are judged, and tweets that came too late for that."""

    on_time: WindowCounts = WindowCounts()
    late: WindowCounts = WindowCounts()

    def __add__(self, other: "Counts") -> "Counts":
        """Return the counts of both."""
        return Counts(self.on_time + other.on_time, self.late + other.late)


def ensure_run(cur: cursor, run: str, pace: Pace) -> WatchedRun:
    """Return what is known of a run, which begins with this pace where it is new."""
    cur.execute(
        "INSERT INTO watch_runs (run, window_s, lateness_s) VALUES (%s, %s, %s)"
        " ON CONFLICT (run) DO UPDATE SET last_counted_at = clock_timestamp()",
        (run, int(pace.window.total_seconds()), int(pace.lateness.total_seconds())),
    )
    (found,) = watched_runs(cur, [run])
    return found


def watched_runs(cur: cursor, runs: Iterable[str]) -> list[WatchedRun]:
    """Return those of these runs that the watch has counted something of."""
    cur.execute(
        "SELECT run, window_s, lateness_s, closed_until FROM watch_runs WHERE run = ANY(%s)"
        " ORDER BY run",
        (sorted(runs),),
    )
    return [
        WatchedRun(
            run=run,
            pace=Pace(timedelta(seconds=window_s), timedelta(seconds=lateness_s)),
            closed_until=closed_until,
        )
        for run, window_s, lateness_s, closed_until in cur
    ]


def begin_anew(cur: cursor, run: str, pace: Pace) -> WatchedRun:
    """Let a run have this pace from now on, and nothing of it be judged."""
    ensure_run(cur, run, pace)
    cur.execute(
        "UPDATE watch_runs SET window_s = %s, lateness_s = %s, closed_until = NULL WHERE run = %s",
        (int(pace.window.total_seconds()), int(pace.lateness.total_seconds()), run),
    )
    return WatchedRun(run=run, pace=pace, closed_until=None)


def note_closed(cur: cursor, run: str, until: datetime, *, least_tweets: int) -> None:
    """Note that windows which end by then are judged, where they hold so many tweets."""
    cur.execute(
        "UPDATE watch_runs SET closed_until = %s, least_tweets = %s WHERE run = %s",
        (until, least_tweets, run),
    )


def known_rules(cur: cursor, run: str) -> set[str]:
    """Return the rules of a run that have windows of their own."""
    cur.execute("SELECT rule FROM watch_rules WHERE run = %s", (run,))
    return {rule for (rule,) in cur}


def add_rules(cur: cursor, run: str, rules: Iterable[str]) -> None:
    """Let rules of a run have windows of their own."""
    execute_values(
        cur,
        "INSERT INTO watch_rules (run, rule) VALUES %s ON CONFLICT DO NOTHING",
        sorted((run, rule) for rule in rules),
        page_size=_PAGE,
    )


def watermarks_of(
    cur: cursor, run: str, topic_ids: Iterable[str]
) -> dict[tuple[str, int], datetime]:
    """Return the latest time of posting that was read of a run, by topic id and partition."""
    cur.execute(
        "SELECT topic_id, partition, posted_at FROM watch_watermarks"
        " WHERE run = %s AND topic_id = ANY(%s)",
        (run, sorted(topic_ids)),
    )
    return {(topic_id, partition): posted_at for topic_id, partition, posted_at in cur}


def write_watermarks(cur: cursor, run: str, moved: Mapping[tuple[str, int], datetime]) -> None:
    """Move the watermarks of a run."""
    execute_values(
        cur,
        "INSERT INTO watch_watermarks AS w (run, topic_id, partition, posted_at) VALUES %s"
        " ON CONFLICT (run, topic_id, partition) DO UPDATE SET"
        " posted_at = greatest(w.posted_at, excluded.posted_at)",
        sorted((run, *place, posted_at) for place, posted_at in moved.items()),
        page_size=_PAGE,
    )


def recomputed_offsets(cur: cursor, run: str) -> dict[tuple[str, int], int]:
    """Return before which offsets a run was counted already, of the stored rows."""
    cur.execute(
        "SELECT topic_id, partition, next_offset FROM watch_recomputed WHERE run = %s", (run,)
    )
    return {(topic_id, partition): offset for topic_id, partition, offset in cur}


def add_counts(cur: cursor, added: Mapping[WindowKey, Counts]) -> None:
    """Add counts to those that are stored."""
    stored: dict[WindowKey, Counts] = {}
    by_run: dict[str, list[WindowKey]] = defaultdict(list)
    for key in sorted(added):
        by_run[key.run].append(key)
    for run, keys in by_run.items():
        stored |= _read(cur, run, keys)
    execute_values(
        cur,
        "INSERT INTO watch_windows (run, start, rule, model_sha256, on_time, late) VALUES %s"
        " ON CONFLICT (run, start, rule, model_sha256) DO UPDATE SET"
        " on_time = excluded.on_time, late = excluded.late",
        [
            (
                key.run,
                key.start,
                key.rule,
                key.model_sha256,
                _json(total.on_time),
                _json(total.late),
            )
            for key in sorted(added)
            for total in [stored[key] + added[key] if key in stored else added[key]]
        ],
        page_size=_PAGE,
    )


def windows_between(
    cur: cursor,
    run: str,
    start: datetime | None,
    end: datetime,
    *,
    series: tuple[str, str] | None = None,
) -> list[Window]:
    """Return windows with tweets that are judged, which start from `start` up to but not at `end`.

    In the order of time; of one rule and model, or of all.
    """
    rule, model_sha256 = series or (None, None)
    cur.execute(
        "SELECT rule, model_sha256, start, on_time::text FROM watch_windows WHERE run = %s"
        " AND start >= coalesce(%s, '-infinity'::timestamptz) AND start < %s"
        " AND (%s::text IS NULL OR (rule, model_sha256) = (%s, %s))"
        " ORDER BY start, rule, model_sha256",
        (run, start, end, rule, rule, model_sha256),
    )
    windows = (
        Window(WindowKey(run, of_rule, of_model, starts), _DECODER.decode(counts))
        for of_rule, of_model, starts, counts in cur
    )
    return [window for window in windows if window.counts.tweets]


def series_of(cur: cursor, run: str, start: datetime, end: datetime) -> list[tuple[str, str]]:
    """Return rules and models that have windows which start in a span, all rules together first."""
    cur.execute(
        "SELECT DISTINCT rule, model_sha256 FROM watch_windows"
        " WHERE run = %s AND start >= %s AND start < %s ORDER BY rule, model_sha256",
        (run, start, end),
    )
    return cur.fetchall()


def forget_windows(cur: cursor, run: str, since: datetime | None) -> None:
    """Delete what was counted of a run since a moment (None: ever), and all that was judged of it.

    References that people chose stay, and how far each partition was read.
    """
    for table, column in (
        ("watch_windows", "start"),
        ("watch_hashtags", "start"),
        ("watch_samples", "window_start"),
    ):
        cur.execute(
            f"DELETE FROM {table} WHERE run = %s"  # noqa: S608
            f" AND {column} >= coalesce(%s, '-infinity'::timestamptz)",
            (run, since),
        )
    cur.execute("DELETE FROM watch_references WHERE run = %s AND NOT chosen", (run,))
    for table in (
        "watch_seen",
        "watch_states",
        "watch_rules",
        "watch_audits",
        "watch_recomputed",
    ):
        cur.execute(f"DELETE FROM {table} WHERE run = %s", (run,))  # noqa: S608


def _read(cur: cursor, run: str, keys: Sequence[WindowKey]) -> dict[WindowKey, Counts]:
    cur.execute(
        "SELECT w.rule, w.model_sha256, w.start, w.on_time::text, w.late::text"
        " FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS k (rule, model_sha256, start)"
        " JOIN watch_windows AS w ON w.run = %s AND w.start = k.start AND w.rule = k.rule"
        " AND w.model_sha256 = k.model_sha256",
        (
            [key.rule for key in keys],
            [key.model_sha256 for key in keys],
            [key.start for key in keys],
            run,
        ),
    )
    return {
        WindowKey(run, rule, model_sha256, start): Counts(
            _DECODER.decode(on_time), _DECODER.decode(late)
        )
        for rule, model_sha256, start, on_time, late in cur
    }


def _json(counts: WindowCounts) -> str:
    """Return counts as text; of no tweets nothing is written."""
    return msgspec.json.encode(counts).decode() if counts.tweets else "{}"


def note_recomputed(cur: cursor, run: str, offsets: Mapping[tuple[str, int], int]) -> None:
    """Note that what stands before these offsets is counted, of the stored rows."""
    execute_values(
        cur,
        "INSERT INTO watch_recomputed (run, topic_id, partition, next_offset) VALUES %s",
        sorted((run, *place, offset) for place, offset in offsets.items()),
        page_size=_PAGE,
    )
