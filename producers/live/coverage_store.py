"""What outlives the process: how far the stream came, its gaps, and what was read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from psycopg2.extensions import cursor

from producers.live.gaps import Gap
from producers.x_account.posts_read_sql import add_posts_read, posts_read_since_first
from schemas.transport.postgres import Connection
from schemas.transport.transactions import Transactions

_STREAM = "filtered"


@dataclass(frozen=True)
class StoredCoverage:
    """Everything received until `covered_until` is safe. `ended` is empty after a kill."""

    covered_until: datetime
    ended: str


class CoverageStore:
    """The live stream's rows in PostgreSQL. Every method is one transaction.

    A connection that was lost is opened anew at the next call; each call raises
    `PostgresUnavailable` where PostgreSQL does not answer.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._transactions = Transactions(connect)

    def coverage(self) -> StoredCoverage | None:
        """Return how far the stream came, None before its first start."""

        def read(cur: cursor) -> StoredCoverage | None:
            cur.execute(
                "SELECT covered_until, ended FROM stream_coverage WHERE stream = %s", (_STREAM,)
            )
            row = cur.fetchone()
            return None if row is None else StoredCoverage(*row)

        return self._transactions.run(read)

    def open_gap(self) -> Gap | None:
        """Return the gap that was open when the last process ended."""

        def read(cur: cursor) -> Gap | None:
            cur.execute(
                "SELECT from_at, to_at, reason FROM stream_gaps WHERE to_at IS NULL"
                " ORDER BY from_at LIMIT 1"
            )
            row = cur.fetchone()
            return None if row is None else Gap(*row)

        return self._transactions.run(read)

    def store(
        self,
        *,
        covered_until: datetime | None = None,
        last_tweet_id: str | None = None,
        ended: str = "",
        gaps: Iterable[Gap] = (),
        posts: dict[date, int] | None = None,
        month: date,
    ) -> dict[date, int]:
        """Store what moved, and return the posts read by day since `month`'s first day.

        Coverage never goes back; a gap that is stored again grows at most.
        """

        def write(cur: cursor) -> dict[date, int]:
            if covered_until is not None:
                _move_coverage(cur, covered_until, last_tweet_id, ended)
            for gap in gaps:
                _store_gap(cur, gap)
            for day, count in sorted((posts or {}).items()):
                add_posts_read(cur, day, count)
            return posts_read_since_first(cur, month)

        return self._transactions.run(write)

    def forget(self) -> None:
        """Forget a first start that never came to a connection; gaps stay as they are."""

        def delete(cur: cursor) -> None:
            cur.execute("DELETE FROM stream_coverage WHERE stream = %s", (_STREAM,))

        self._transactions.run(delete)

    def close(self) -> None:
        """Close the connection."""
        self._transactions.close()


def _move_coverage(
    cur: cursor, covered_until: datetime, last_tweet_id: str | None, ended: str
) -> None:
    cur.execute(
        "INSERT INTO stream_coverage AS c (stream, covered_until, last_tweet_id, ended)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT (stream) DO UPDATE SET"
        " covered_until = greatest(c.covered_until, excluded.covered_until),"
        " last_tweet_id = coalesce(excluded.last_tweet_id, c.last_tweet_id),"
        " ended = excluded.ended, updated_at = now()",
        (_STREAM, covered_until, last_tweet_id, ended),
    )


def _store_gap(cur: cursor, gap: Gap) -> None:
    cur.execute(
        "INSERT INTO stream_gaps AS g (from_at, to_at, reason) VALUES (%s, %s, %s)"
        " ON CONFLICT (from_at) DO UPDATE SET"
        " to_at = CASE WHEN excluded.to_at IS NULL THEN NULL"
        " ELSE greatest(g.to_at, excluded.to_at) END,"
        " status = CASE WHEN excluded.to_at > g.to_at OR excluded.to_at IS NULL"
        " THEN 'open' ELSE g.status END",
        (gap.from_at, gap.to_at, gap.reason),
    )
