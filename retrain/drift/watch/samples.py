"""Samples of a run's tweets as hashed words: in each window those of the lowest ranks.

The rank is a hash of the tweet's id, so the sample is uniform, and is the same however the tweets
came. Retweets are left out: one text that many repeat is no change of what people say.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.events import LIVE

SAMPLE: Final = 400
"""Tweets of a window."""

REFERENCE_SAMPLE: Final = 2_000
"""Tweets of a reference: each window is compared with others of them."""

_PAGE: Final = 500


class Sampled(Struct, frozen=True, order=True):
    """A tweet that may be of a sample; ordered by run, window and rank."""

    run: str
    window_start: datetime
    rank: int
    root_id: str
    author_id: str | None
    text: str


class Candidates:
    """The lowest ranks of each window among what was offered, and nothing else in memory."""

    def __init__(self) -> None:
        self._ranks: dict[tuple[str, datetime], list[int]] = defaultdict(list)
        self._tweets: dict[tuple[str, datetime], dict[int, Sampled]] = defaultdict(dict)

    def offer(self, tweet: Sampled) -> None:
        """Keep a tweet if its rank is among the lowest of its window so far."""
        window = (tweet.run, tweet.window_start)
        tweets, ranks = self._tweets[window], self._ranks[window]
        if tweet.rank in tweets:
            return
        if len(ranks) < SAMPLE:
            heapq.heappush(ranks, -tweet.rank)
        elif tweet.rank > -ranks[0]:
            return
        else:
            del tweets[-heapq.heapreplace(ranks, -tweet.rank)]
        tweets[tweet.rank] = tweet

    def all(self) -> list[Sampled]:
        """Return what was kept, in order."""
        kept = [tweet for tweets in self._tweets.values() for tweet in tweets.values()]
        return sorted(kept, key=lambda tweet: (tweet.run, tweet.window_start, tweet.rank))


def highest_ranks(
    cur: cursor, windows: Iterable[tuple[str, datetime]]
) -> dict[tuple[str, datetime], int]:
    """Return above which rank nothing more enters the sample of windows; others take anything."""
    wanted = sorted(set(windows))
    cur.execute(
        "SELECT s.run, s.window_start, max(s.rank) FROM unnest(%s::text[], %s::timestamptz[])"
        " AS k (run, window_start) JOIN watch_samples AS s USING (run, window_start)"
        " GROUP BY s.run, s.window_start HAVING count(*) >= %s",
        ([run for run, _ in wanted], [start for _, start in wanted], SAMPLE),
    )
    return {(run, start): rank for run, start, rank in cur}


def add_samples(cur: cursor, tweets: Iterable[tuple[Sampled, Iterable[int]]]) -> None:
    """Add tweets with their hashed words, and keep the lowest ranks of each window.

    The caller shares `locks.REMOVALS`: what was removed, or lies before what `live` keeps, is left
    out, and a removal that comes later finds it here.
    """
    offered = list(tweets)
    removed = _removed(cur, [tweet for tweet, _ in offered])
    limit = _kept_from(cur)
    rows = [
        (tweet.run, tweet.window_start, tweet.rank, tweet.root_id, tweet.author_id, sorted(words))
        for tweet, words in offered
        if (tweet.run, tweet.root_id) not in removed
        and (tweet.run != LIVE or tweet.window_start.date() >= limit)
    ]
    execute_values(
        cur,
        "INSERT INTO watch_samples (run, window_start, rank, root_id, author_id, words) VALUES %s"
        " ON CONFLICT DO NOTHING",
        rows,
        template="(%s, %s, %s, %s, %s, %s::bigint[])",
        page_size=_PAGE,
    )
    windows = sorted({(row[0], row[1]) for row in rows})
    cur.execute(
        "DELETE FROM watch_samples AS s USING (SELECT run, window_start, rank, root_id,"
        " row_number() OVER (PARTITION BY run, window_start ORDER BY rank, root_id) AS place"
        " FROM unnest(%s::text[], %s::timestamptz[]) AS k (run, window_start)"
        " JOIN watch_samples USING (run, window_start)) AS o"
        " WHERE o.place > %s AND (s.run, s.window_start, s.rank, s.root_id)"
        " = (o.run, o.window_start, o.rank, o.root_id)",
        ([run for run, _ in windows], [start for _, start in windows], SAMPLE),
    )


def sample_of(
    cur: cursor, run: str, start: datetime, end: datetime, most: int = SAMPLE
) -> tuple[frozenset[int], ...]:
    """Return the words of up to `most` tweets of the lowest ranks among all windows of a span."""
    cur.execute(
        "SELECT words FROM watch_samples WHERE run = %s AND window_start >= %s"
        " AND window_start < %s ORDER BY rank, root_id LIMIT %s",
        (run, start, end, most),
    )
    return tuple(frozenset(words) for (words,) in cur)


def _removed(cur: cursor, tweets: list[Sampled]) -> set[tuple[str, str]]:
    """Return which of these a tombstone refuses, by run and root id."""
    cur.execute(
        "SELECT k.run, k.root_id FROM unnest(%s::text[], %s::text[], %s::text[])"
        " AS k (run, root_id, author_id) WHERE EXISTS (SELECT FROM tombstones AS t"
        " WHERE t.run IN (k.run, %s) AND (t.kind, t.id) IN (('tweet', k.root_id),"
        " ('author', k.author_id)))",
        (
            [tweet.run for tweet in tweets],
            [tweet.root_id for tweet in tweets],
            [tweet.author_id for tweet in tweets],
            LIVE,
        ),
    )
    return {(run, root_id) for run, root_id in cur}


def _kept_from(cur: cursor) -> date:
    cur.execute("SELECT max(kept_from) FROM kept_days WHERE run = %s", (LIVE,))
    ((limit,),) = cur.fetchall()
    return date.min if limit is None else limit


def forget_removed(cur: cursor, run: str) -> None:
    """Delete from the samples of a run what is no longer stored."""
    cur.execute(
        "DELETE FROM watch_samples AS s WHERE s.run = %s AND NOT EXISTS"
        " (SELECT FROM tweets AS t WHERE t.run = %s AND t.root_id = s.root_id)",
        (run, run),
    )
