"""The rows of `stream_gaps`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

import psycopg2
from psycopg2.extensions import cursor

from producers.x_account.posts_read_sql import add_posts_read, posts_read_since_first
from schemas.failures import Failure
from schemas.transport.postgres import Connection

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class KnownGap:
    """A time without a connection and what became of it. `to_at` is None while it is ongoing."""

    gap_id: int
    from_at: datetime
    to_at: datetime | None
    reason: str
    status: str
    refilled_until: datetime | None
    posts_refilled: int
    detail: str


class GapTable:
    """Reads gaps and notes what was refilled; every method is a transaction."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connection = connect()

    def all(self) -> list[KnownGap]:
        """Return every gap, oldest first."""

        def read(cur: cursor) -> list[KnownGap]:
            cur.execute(
                "SELECT gap_id, from_at, to_at, reason, status, refilled_until, posts_refilled,"
                " detail FROM stream_gaps ORDER BY from_at"
            )
            return [KnownGap(*row) for row in cur.fetchall()]

        return self._transaction(read)

    def refilled(self, gap_id: int, until: datetime, published: int) -> None:
        """Note that a piece of a gap is with Kafka."""

        def write(cur: cursor) -> None:
            cur.execute(
                "UPDATE stream_gaps SET refilled_until = %s, posts_refilled = posts_refilled + %s"
                " WHERE gap_id = %s",
                (until, published, gap_id),
            )

        self._transaction(write)

    def posts_read(self, day: date, posts: int) -> None:
        """Add posts that were read on a UTC day; the one method that may not be repeated."""
        self._transaction(lambda cur: add_posts_read(cur, day, posts))

    def finished(self, gap: KnownGap, status: str, detail: str) -> None:
        """Note what became of a gap, unless it has grown meanwhile."""

        def write(cur: cursor) -> None:
            cur.execute(
                "UPDATE stream_gaps SET status = %s, detail = %s, refilled_at = now()"
                " WHERE gap_id = %s AND to_at IS NOT DISTINCT FROM %s",
                (status, detail, gap.gap_id, gap.to_at),
            )

        self._transaction(write)

    def month_posts(self, day: date) -> int:
        """Return the posts read in the UTC month of a day."""
        return sum(self._transaction(lambda cur: posts_read_since_first(cur, day)).values())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _transaction(self, work: Callable[[cursor], ResultT]) -> ResultT:
        try:
            with self._connection as connection, connection.cursor() as cur:
                return work(cur)
        except psycopg2.errors.UndefinedTable as error:
            raise Failure("the database lacks tables of the stream: run `murmur init`") from error
