"""A run of millions of made-up tweets with their rollups, written into PostgreSQL by itself.

The sink would need hours for them. What is stored is what it would have stored: the rollups are
counted from the rows.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg2.extras import execute_values

from schemas.transport.postgres import Connection
from tests.benchmarks.texts import distinct_texts
from tests.integration.storing import store
from tests.unit.examples import scored_tweet

RUN: Final = "many"
START: Final = datetime(2026, 4, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=30)
_TEXTS: Final = 20_000
_CHUNK: Final = 250_000
# In order of time, as a stream stores them. Of the rules, of a hundred hashtags and of eight
# languages the first are the most frequent: rule 1 has a tenth of the tweets of 1,000 rules.
_TWEETS: Final = """
INSERT INTO tweets (run, day, root_id, tweet_id, version, edit_history, posted_at, received_at,
    text, language, author_id, rules, hashtags, mentions, links, emoji, possibly_sensitive, source)
SELECT %(run)s, (at AT TIME ZONE 'UTC')::date, id, id, 0, '{}', at, at, x.text,
    CASE WHEN drawn[1] < .7 THEN 'en' WHEN drawn[1] < .95
         THEN (ARRAY['de', 'fr', 'es', 'ja', 'pt', 'ar', 'ko'])[1 + floor(7 * drawn[2])::int] END,
    (n %% 99991)::text,
    ARRAY['rule ' || least(floor(exp(drawn[3] * ln(%(rules)s + 1))), %(rules)s)::int],
    CASE WHEN drawn[4] < .4 THEN ARRAY['tag' || floor(exp(drawn[5] * ln(101)))::int]
         ELSE '{}' END,
    '{}', CASE WHEN drawn[6] < .2 THEN ARRAY['https://example.org/' || n] ELSE '{}' END, '{}',
    false, 'made up'
FROM (
    SELECT n, (1800000000000000000 + n * 4194304)::text AS id,
           %(start)s::timestamptz + n * %(step)s::interval AS at,
           ARRAY[random(), random(), random(), random(), random(), random()] AS drawn
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
) AS made JOIN bench_texts AS x ON x.number = (made.n * 7919) %% %(texts)s
"""
# On one afternoon most tweets are negative, so that something changed.
_SCORES: Final = """
INSERT INTO scores (run, day, root_id, model_id, version, counts, label, confidence,
    probabilities, scored_at, language_known)
SELECT run, day, root_id, %(model)s, 0, true, label, .7,
    jsonb_build_object('negative', .1, 'neutral', .2, 'positive', .7), posted_at,
    language IS NULL OR language = 'en'
FROM (
    SELECT t.*, CASE WHEN random() < CASE WHEN posted_at BETWEEN %(start)s + interval '20 days 12 h'
            AND %(start)s + interval '20 days 18 h' THEN .7 ELSE .3 END THEN 'negative'
        WHEN random() < .5 THEN 'neutral' ELSE 'positive' END AS label
    FROM tweets AS t WHERE run = %(run)s AND root_id <> '1'
) AS drawn
"""
_COUNTED: Final = """
FROM tweets AS t
JOIN scores AS s ON s.run = t.run AND s.root_id = t.root_id AND s.day = t.day AND s.counts
CROSS JOIN unnest(ARRAY['minute', 'hour', 'day']) AS g
"""
_ROLLUPS: Final = f"""
INSERT INTO rollups
SELECT t.run, g, date_trunc(g, t.posted_at, 'UTC'), rule, s.label, s.model_id, count(*),
       sum(round(s.confidence * 1000000))::bigint
{_COUNTED} CROSS JOIN unnest(array_prepend(''::text, t.rules)) AS rule
WHERE t.run = %(run)s AND s.run = %(run)s GROUP BY 1, 2, 3, 4, 5, 6
"""
_HASHTAGS: Final = f"""
INSERT INTO hashtag_rollups
SELECT t.run, g, date_trunc(g, t.posted_at, 'UTC'), hashtag, s.label, count(*)
{_COUNTED} CROSS JOIN unnest(t.hashtags) AS hashtag
WHERE t.run = %(run)s AND s.run = %(run)s GROUP BY 1, 2, 3, 4, 5
"""
_UNKNOWN_LANGUAGES: Final = f"""
INSERT INTO unknown_language_rollups
SELECT t.run, g, date_trunc(g, t.posted_at, 'UTC'), t.language, count(*)
{_COUNTED} WHERE t.run = %(run)s AND s.run = %(run)s AND s.language_known IS FALSE
    AND t.language IS NOT NULL GROUP BY 1, 2, 3, 4
"""


def store_many(connection: Connection, tweets: int, rules: int, say: Callable[[str], None]) -> None:
    """Store a run of so many tweets over 30 days, each of one of so many rules."""
    first = scored_tweet("neutral", run=RUN, tweet_id="1", posted_at=START)
    store(connection, [first])
    values = {
        "run": RUN,
        "start": START,
        "step": SPAN / tweets,
        "rules": rules,
        "texts": _TEXTS,
    }
    with connection, connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET work_mem = '512MB'")
        cursor.execute("SELECT setseed(.5)")
        cursor.execute("SELECT max(model_id) FROM models")
        ((values["model"],),) = cursor.fetchall()
        cursor.execute("CREATE TEMP TABLE bench_texts (number int PRIMARY KEY, text text)")
        execute_values(
            cursor,
            "INSERT INTO bench_texts VALUES %s",
            list(enumerate(distinct_texts(1, _TEXTS))),
            page_size=1000,
        )
    for chunk in range(1, tweets + 1, _CHUNK):
        last = min(chunk + _CHUNK - 1, tweets)
        with connection, connection.cursor() as cursor:
            cursor.execute(_TWEETS, {**values, "first": chunk, "last": last})
        say(f"{last:,} tweets")
    with connection, connection.cursor() as cursor:
        cursor.execute(_SCORES, values)
        say("scores")
        for table in ("rollups", "hashtag_rollups", "unknown_language_rollups"):
            cursor.execute(f"DELETE FROM {table} WHERE run = %(run)s", values)  # noqa: S608
        cursor.execute(_ROLLUPS, values)
        cursor.execute(_HASHTAGS, values)
        cursor.execute(_UNKNOWN_LANGUAGES, values)
        say("rollups")
        cursor.execute("UPDATE runs SET changed_at = now() WHERE run = %(run)s", values)


def analyse(connection: Connection) -> None:
    """Do what PostgreSQL does by itself some minutes later."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    connection.autocommit = False
