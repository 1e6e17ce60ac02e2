"""The figures of a run, computed from PostgreSQL's rollups."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.transport.postgres import Connection
from stream_processors.aggregates import sum_rollups, time_windows
from stream_processors.aggregates.aggregates import Aggregates, LanguageFigures
from stream_processors.aggregates.sum_rollups import NamedCount, RollupRow, StepCount
from stream_processors.aggregates.time_windows import Window

_TOP_HASHTAGS: Final = 20
_TOP_LANGUAGES: Final = 10

_FIRST_AND_NEWEST = """
SELECT
    (SELECT bucket_start FROM rollups
     WHERE run = %(run)s AND granularity = 'minute' AND rule = '' AND tweets > 0
     ORDER BY bucket_start LIMIT 1),
    (SELECT bucket_start FROM rollups
     WHERE run = %(run)s AND granularity = 'minute' AND rule = '' AND tweets > 0
     ORDER BY bucket_start DESC LIMIT 1)
"""

_TOTALS = """
SELECT r.rule, r.label, m.name, m.version, m.sha256,
       sum(r.tweets)::bigint, sum(r.confidence_micros)::bigint
FROM rollups AS r JOIN models AS m USING (model_id)
WHERE r.run = %(run)s AND r.granularity = %(granularity)s
  AND r.bucket_start >= %(start)s AND r.bucket_start < %(end)s
GROUP BY r.rule, r.label, m.model_id
"""

_HASHTAGS = """
WITH counted AS (
    SELECT hashtag, label, sum(tweets)::bigint AS tweets FROM hashtag_rollups
    WHERE run = %(run)s AND granularity = %(granularity)s
      AND bucket_start >= %(start)s AND bucket_start < %(end)s
    GROUP BY hashtag, label
), top AS (
    SELECT hashtag FROM counted GROUP BY hashtag HAVING sum(tweets) > 0
    ORDER BY sum(tweets) DESC, hashtag LIMIT %(most)s
)
SELECT hashtag, label, tweets FROM counted JOIN top USING (hashtag)
"""

_UNKNOWN_LANGUAGES = """
SELECT language, sum(tweets)::bigint FROM unknown_language_rollups
WHERE run = %(run)s AND granularity = %(granularity)s
  AND bucket_start >= %(start)s AND bucket_start < %(end)s
GROUP BY language HAVING sum(tweets) > 0
ORDER BY sum(tweets) DESC, language
"""

_SERIES = """
SELECT date_bin(%(step)s, bucket_start, %(origin)s) AS start, label, sum(tweets)::bigint
FROM rollups
WHERE run = %(run)s AND granularity = %(granularity)s AND rule = ''
  AND bucket_start >= %(start)s AND bucket_start < %(end)s
GROUP BY start, label
"""


def aggregates_of(
    connection: Connection, run: str, wanted: Sequence[Window], now: datetime
) -> list[Aggregates]:
    """Return a run's figures over each window, all of one moment of the database.

    Leaves no transaction open. Raises `psycopg2.Error` where the database does not answer.
    """
    connection.rollback()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(_FIRST_AND_NEWEST, {"run": run})
        first, newest = cursor.fetchall()[0]
        return [_over(cursor, run, window, first, newest, now) for window in wanted]


def _over(
    cursor: Any,
    run: str,
    window: Window,
    first: datetime | None,
    newest: datetime | None,
    now: datetime,
) -> Aggregates:
    span = time_windows.bounds(window, run, first, newest, now)
    step = time_windows.series_step(span.end - span.start) if span else time_windows.MINUTE
    rows: list[RollupRow] = []
    hashtags: list[NamedCount] = []
    points: list[StepCount] = []
    unknown_languages: list[LanguageFigures] = []
    if span:
        # Days make `all` cheap; they start at midnight, before the first tweet's minute.
        whole_days = window.length is None
        limits = {
            "run": run,
            "granularity": "day" if whole_days else "minute",
            "start": span.start - timedelta(days=1) if whole_days else span.start,
            "end": span.end,
            "most": _TOP_HASHTAGS,
        }
        cursor.execute(_TOTALS, limits)
        rows = [RollupRow(*row) for row in cursor]
        cursor.execute(_HASHTAGS, limits)
        hashtags = [NamedCount(*row) for row in cursor]
        cursor.execute(_UNKNOWN_LANGUAGES, limits)
        unknown_languages = [LanguageFigures(language=name, tweets=count) for name, count in cursor]
        finer = {
            "granularity": time_windows.coarsest_exact(window, step),
            "step": step,
            "origin": time_windows.ORIGIN,
        }
        cursor.execute(_SERIES, {**limits, **finer})
        points = [StepCount(*row) for row in cursor]
    tweets, mean_confidence = sum_rollups.total_of(rows)
    return Aggregates(
        run=run,
        window=window.name,
        start=span.start if span else None,
        end=span.end if span else None,
        as_of=now,
        tweets=tweets,
        mean_confidence=mean_confidence,
        labels=sum_rollups.labels_of(rows),
        hashtags=sum_rollups.grouped(hashtags),
        rules=sum_rollups.rules_of(rows),
        models=sum_rollups.models_of(rows),
        series_step_s=int(step.total_seconds()),
        series=sum_rollups.series_of(time_windows.step_starts(span, step) if span else [], points),
        unknown_language_tweets=sum(each.tweets for each in unknown_languages),
        unknown_languages=unknown_languages[:_TOP_LANGUAGES],
    )
