"""The ids that a compliance job has to ask about, and the jobs there were."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from producers.x_api.removals import Kind
from schemas.transport.postgres import Connection

_IDS: Final[dict[Kind, str]] = {
    "tweets": (
        "SELECT tweet_id FROM tweets UNION SELECT unnest(edit_history) FROM tweets"
        " UNION SELECT retweet_of FROM tweets UNION SELECT unnest(named_ids) FROM dead_letters"
    ),
    "users": (
        "SELECT author_id FROM tweets UNION SELECT retweet_of_author FROM tweets"
        " UNION SELECT unnest(named_ids) FROM dead_letters"
    ),
}
_PAGE: Final = 10_000


class StoredIds:
    """Reads ids of all runs, X's own only (decimal), and keeps the list of jobs.

    What stands in dead letters may be the id of a tweet, of an account or of neither: X is asked
    about it as both, and says nothing of what it does not know.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connection = connect()

    def ids(self, kind: Kind) -> Iterator[str]:
        """Yield each id once; memory does not grow with their number."""
        with self._connection as connection, connection.cursor(f"ids_of_{kind}") as cur:
            cur.itersize = _PAGE
            cur.execute(
                f"SELECT id FROM ({_IDS[kind]}) AS known (id)"  # noqa: S608  our constants
                " WHERE id ~ '^[0-9]{1,19}$'"
            )
            for (found,) in cur:
                yield found

    def began(self, job_id: str, kind: Kind, ids: int, at: datetime) -> None:
        """Note a job whose ids X has."""
        with self._connection as connection, connection.cursor() as cur:
            cur.execute(
                "INSERT INTO compliance_jobs (job_id, kind, ids, created_at)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (job_id, kind, ids, at),
            )

    def finished(self, job_id: str, removals: int, at: datetime) -> None:
        """Note that the removals of a job are with Kafka."""
        with self._connection as connection, connection.cursor() as cur:
            cur.execute(
                "UPDATE compliance_jobs SET removals = %s, finished_at = %s WHERE job_id = %s",
                (removals, at, job_id),
            )

    def unfinished(self, kind: Kind) -> tuple[str, int] | None:
        """Return the last job that was begun and never finished, and how many ids it has."""
        with self._connection as connection, connection.cursor() as cur:
            cur.execute(
                "SELECT job_id, ids FROM compliance_jobs WHERE kind = %s AND finished_at IS NULL"
                " ORDER BY created_at DESC LIMIT 1",
                (kind,),
            )
            row = cur.fetchone()
            return None if row is None else (str(row[0]), int(row[1]))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
