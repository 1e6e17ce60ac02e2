"""The statements that count tweets themselves, for selections that no rollup knows.

Each reads every tweet and score of the run's days in the window: the figures of 51,000 tweets took
1.3 s on two busy cores, where those from rollups take the same .3 s for any number.
"""

from typing import Final, NamedTuple


class Statements(NamedTuple):
    """What is asked for over a window: the same columns, whether of rollups or of tweets."""

    totals: str
    hashtags: str
    series: str
    days: str


_SELECTED: Final = """
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
"""

# By day too: only those partitions are read. PostgreSQL drops what asks for nothing.
CHOSEN: Final = """
  AND (%(start)s::timestamptz IS NULL OR (t.posted_at >= %(start)s
    AND t.day >= (%(start)s::timestamptz AT TIME ZONE 'UTC')::date
    AND s.day >= (%(start)s::timestamptz AT TIME ZONE 'UTC')::date))
  AND (%(end)s::timestamptz IS NULL OR (t.posted_at < %(end)s
    AND t.day <= (%(end)s::timestamptz AT TIME ZONE 'UTC')::date
    AND s.day <= (%(end)s::timestamptz AT TIME ZONE 'UTC')::date))
  AND (%(rules)s::text[] IS NULL OR t.rules && %(rules)s::text[])
  AND (%(labels)s::text[] IS NULL OR s.label = ANY(%(labels)s::text[]))
  AND (%(languages)s::text[] IS NULL OR t.language = ANY(%(languages)s::text[]))
"""
"""Which tweets `t` with scores `s` are in a selection, from `start` up to but not at `end`; what is
None leaves none out."""

_WHERE: Final = f"WHERE t.run = %(run)s AND s.run = %(run)s {CHOSEN}"

ROWS: Final = Statements(
    totals=f"""
SELECT rule, s.label, m.name, m.version, m.sha256, count(*),
       sum(round(s.confidence * 1000000))::bigint
{_SELECTED} JOIN models AS m USING (model_id)
CROSS JOIN unnest(array_prepend(''::text, t.rules)) AS rule {_WHERE}
GROUP BY rule, s.label, m.model_id
""",
    hashtags=f"""
WITH counted AS (
    SELECT hashtag, s.label, count(*) AS tweets
    {_SELECTED} CROSS JOIN unnest(t.hashtags) AS hashtag {_WHERE}
    GROUP BY hashtag, s.label
), top AS (
    SELECT hashtag FROM counted GROUP BY hashtag
    ORDER BY sum(tweets) DESC, hashtag COLLATE "C" LIMIT %(most)s
)
SELECT hashtag, label, tweets FROM counted JOIN top USING (hashtag)
""",  # noqa: S608
    series=f"""
SELECT date_bin(%(step)s, t.posted_at, %(origin)s) AS start, s.label, count(*)
{_SELECTED} {_WHERE}
GROUP BY start, s.label
""",
    days=f"""
SELECT rule, (t.posted_at AT TIME ZONE 'UTC')::date AS day, count(*)
{_SELECTED} CROSS JOIN unnest(array_prepend(''::text, t.rules)) AS rule {_WHERE}
  AND rule = ANY(%(audited)s)
GROUP BY 1, 2
""",
)

SAMPLE: Final = f"""
SELECT s.label, t.hashtags, CASE WHEN s.language_known IS FALSE THEN t.language END
{_SELECTED} {_WHERE} AND audit_level(t.root_id) = ANY(%(levels)s::smallint[])
  AND (%(rule)s = '' OR %(rule)s = ANY(t.rules))
"""
"""Tweets of some levels of the sample that `schemas/sampled_tweets.py` tells of. `rules` are found
by an index, `rule` is looked for in each row."""

UNKNOWN_LANGUAGES_OF_ROWS: Final = f"""
SELECT t.language, count(*)
{_SELECTED} {_WHERE} AND s.language_known IS FALSE AND t.language IS NOT NULL
GROUP BY t.language ORDER BY count(*) DESC, t.language COLLATE "C"
"""
