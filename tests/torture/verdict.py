"""Whether every promise was kept: what was published against what PostgreSQL and Redis hold."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from model_server.scorer import load_scorer
from schemas import cache_keys
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import Connection
from stream_processors.aggregates.cache import AggregatesCache
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.time_windows import parse_window
from tests.conditions import wait_until
from tests.recount import (
    differing_hashtag_rollups,
    differing_language_rollups,
    differing_rollups,
)
from tests.reference import what_remains
from tests.torture.publishing import Position
from tests.torture.tweets import Published, hashtags_of

_SHOWN: Final = 5
_REDIS_SETTLES_WITHIN_S: Final = 60

_ROWS: Final = """
SELECT t.run, t.root_id, t.tweet_id, t.version, t.text, t.rules, t.hashtags, s.label, s.confidence
FROM tweets AS t LEFT JOIN scores AS s
    ON s.run = t.run AND s.root_id = t.root_id AND s.day = t.day AND s.counts
"""
_TOMBSTONED: Final = """
SELECT DISTINCT t.run, t.root_id FROM tweets AS t JOIN tombstones AS g ON g.run IN (t.run, 'live')
WHERE (g.kind = 'author' AND g.id IN (t.author_id, t.retweet_of_author))
   OR (g.kind = 'tweet'
       AND (g.id IN (t.root_id, t.tweet_id, t.retweet_of) OR g.id = ANY(t.edit_history)))
"""


class Verdict(Struct, frozen=True):
    """One promise: whether it was kept, how much was compared, how much differs and the first."""

    kept: bool
    compared: int
    differing: int
    differences: list[str]


def verdict(compared: int, differences: Iterable[object]) -> Verdict:
    """Return the verdict of a comparison that found these differences."""
    listed = [str(difference) for difference in differences]
    return Verdict(not listed, compared, len(listed), listed[:_SHOWN])


def judge(
    settings: Settings,
    connection: Connection,
    messages: Sequence[Published],
    positions: Mapping[int, Position],
    aborted: Collection[str],
) -> dict[str, Verdict]:
    """Compare everything; the stream has to be at rest."""
    unconfirmed = [number for number in range(len(messages)) if number not in positions]
    kept = _query(connection, "SELECT count(*) FROM rollups")[0][0]
    kept_hashtags = _query(connection, "SELECT count(*) FROM hashtag_rollups")[0][0]
    kept_languages = _query(connection, "SELECT count(*) FROM unknown_language_rollups")[0][0]
    return {
        "every message is confirmed": verdict(len(messages), unconfirmed),
        "every tweet once, as it remains": _rows(connection, messages),
        "rollups equal a recount": verdict(kept, differing_rollups(connection)),
        "hashtag rollups equal a recount": verdict(
            kept_hashtags, differing_hashtag_rollups(connection)
        ),
        "rollups of unknown languages equal a recount": verdict(
            kept_languages, differing_language_rollups(connection)
        ),
        "dead letters equal the poison": _dead_letters(connection, messages, positions),
        "nothing removed is there": verdict(
            _query(connection, "SELECT count(*) FROM tombstones")[0][0],
            _query(connection, _TOMBSTONED),
        ),
        "nothing aborted is there": verdict(
            len(aborted),
            _query(connection, "SELECT tweet_id FROM tweets WHERE tweet_id = ANY(%s)", [*aborted]),
        ),
        "Redis equals PostgreSQL": _redis(settings, connection),
    }


def _rows(connection: Connection, messages: Sequence[Published]) -> Verdict:
    events = [message.event for message in messages if message.event is not None]
    remaining = [posts[0] for posts in what_remains(events).values()]
    texts = sorted({post.text for post in remaining})
    predictions = dict(zip(texts, load_scorer(None, cache_size=0).predict(texts), strict=True))
    expected = Counter(
        (
            post.run,
            post.root_id,
            post.tweet_id,
            post.version,
            post.text,
            tuple(sorted(rule.tag for rule in post.rules)),
            hashtags_of(post.text),
            predictions[post.text].label,
            predictions[post.text].confidence,
        )
        for post in remaining
    )
    found = Counter(
        (*row[:5], tuple(row[5]), tuple(row[6]), *row[7:]) for row in _query(connection, _ROWS)
    )
    return verdict(len(remaining), _difference(expected, found))


def _dead_letters(
    connection: Connection, messages: Sequence[Published], positions: Mapping[int, Position]
) -> Verdict:
    expected = Counter(
        (*positions[number], len(message.value or b""))
        for number, message in enumerate(messages)
        if message.event is None and number in positions
    )
    found = Counter(
        _query(
            connection,
            "SELECT source, source_partition, source_offset, value_size_bytes FROM dead_letters",
        )
    )
    return verdict(expected.total(), _difference(expected, found))


def _redis(settings: Settings, connection: Connection) -> Verdict:
    runs = [run for (run,) in _query(connection, "SELECT run FROM runs ORDER BY run")]
    pairs = [(run, window) for run in runs for window in cache_keys.WINDOWS]
    differing: Collection[tuple[str, str]] = pairs
    with connect_redis(settings.redis_connection) as client:
        cache = AggregatesCache(client, settings.topic_prefix, settings.cache_ttl_s)

        def equal() -> bool:
            nonlocal differing
            differing = [pair for pair in pairs if not _is_equal(cache, connection, *pair)]
            return not differing

        try:
            wait_until(equal, _REDIS_SETTLES_WITHIN_S, "Redis to equal PostgreSQL")
        except AssertionError:
            return verdict(len(pairs), differing)
    return verdict(len(pairs), [])


def _is_equal(cache: AggregatesCache, connection: Connection, run: str, window: str) -> bool:
    held = cache.read(run, window)
    if held is None:
        return False
    return [held] == aggregates_of(connection, run, [parse_window(window)], held.as_of)


def _difference(expected: Counter[tuple[Any, ...]], found: Counter[tuple[Any, ...]]) -> list[str]:
    missing = [f"missing: {item}" for item in sorted((expected - found).elements(), key=str)]
    return missing + [
        f"too much: {item}" for item in sorted((found - expected).elements(), key=str)
    ]


def _query(
    connection: Connection, statement: str, *parameters: Sequence[str]
) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()
