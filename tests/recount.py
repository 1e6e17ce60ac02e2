"""The rollups counted anew from the rows that are stored."""

from typing import Any, Final

from schemas.transport.postgres import Connection

_RECOUNT: Final = """
WITH counted AS (
    SELECT t.run, g COLLATE "C" AS granularity,
           date_trunc(g, t.posted_at, 'UTC') AS bucket_start, rule COLLATE "C" AS rule,
           s.label COLLATE "C" AS label, s.model_id, count(*) AS tweets,
           sum(round(s.confidence * 1000000))::bigint AS confidence_micros
    FROM tweets AS t
    JOIN scores AS s ON s.run = t.run AND s.root_id = t.root_id AND s.day = t.day AND s.counts
    CROSS JOIN unnest(ARRAY['minute', 'hour', 'day']) AS g
    CROSS JOIN unnest(array_prepend(''::text, t.rules)) AS rule
    GROUP BY 1, 2, 3, 4, 5, 6
), kept AS (
    SELECT run, granularity, bucket_start, rule, label, model_id, tweets, confidence_micros
    FROM rollups
)
(TABLE counted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE counted)
"""
_HASHTAG_RECOUNT: Final = """
WITH counted AS (
    SELECT t.run, g COLLATE "C" AS granularity,
           date_trunc(g, t.posted_at, 'UTC') AS bucket_start, hashtag COLLATE "C" AS hashtag,
           s.label COLLATE "C" AS label, count(*) AS tweets
    FROM tweets AS t
    JOIN scores AS s ON s.run = t.run AND s.root_id = t.root_id AND s.day = t.day AND s.counts
    CROSS JOIN unnest(ARRAY['minute', 'hour', 'day']) AS g
    CROSS JOIN unnest(t.hashtags) AS hashtag
    GROUP BY 1, 2, 3, 4, 5
), kept AS (
    SELECT run, granularity, bucket_start, hashtag, label, tweets FROM hashtag_rollups
)
(TABLE counted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE counted)
"""
_LANGUAGE_RECOUNT: Final = """
WITH counted AS (
    SELECT t.run, g COLLATE "C" AS granularity,
           date_trunc(g, t.posted_at, 'UTC') AS bucket_start, t.language COLLATE "C" AS language,
           count(*) AS tweets
    FROM tweets AS t
    JOIN scores AS s ON s.run = t.run AND s.root_id = t.root_id AND s.day = t.day AND s.counts
    CROSS JOIN unnest(ARRAY['minute', 'hour', 'day']) AS g
    WHERE s.language_known IS FALSE AND t.language IS NOT NULL
    GROUP BY 1, 2, 3, 4
), kept AS (
    SELECT run, granularity, bucket_start, language, tweets FROM unknown_language_rollups
)
(TABLE counted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE counted)
"""


def differing_rollups(connection: Connection) -> list[tuple[Any, ...]]:
    """Return what differs between `rollups` and a recount of the rows, of either side."""
    return _query(connection, _RECOUNT)


def differing_hashtag_rollups(connection: Connection) -> list[tuple[Any, ...]]:
    """Return what differs between `hashtag_rollups` and a recount of the rows, of either side."""
    return _query(connection, _HASHTAG_RECOUNT)


def differing_language_rollups(connection: Connection) -> list[tuple[Any, ...]]:
    """Return what differs between `unknown_language_rollups` and a recount of the rows."""
    return _query(connection, _LANGUAGE_RECOUNT)


def _query(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
