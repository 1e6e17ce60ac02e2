"""Who may be connected? One process of an installation, by a lock in PostgreSQL."""

from collections.abc import Callable

import psycopg2

from schemas import locks
from schemas.transport.postgres import Connection, PostgresUnavailable


class Lease:
    """The right to connect to X, held on a connection of its own for as long as that lives.

    PostgreSQL gives it back by itself where the process or its machine ends.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None

    def held(self) -> bool | None:
        """Take the lease if it is free: True if it is ours, False if another's, None if unknown.

        Unknown is when PostgreSQL does not answer: then nobody else can take it either.
        """
        try:
            if self._connection is not None:
                with self._connection.cursor() as cur:
                    cur.execute("SELECT 1")
                return True
            connection = self._connect()
            connection.autocommit = True
            with connection.cursor() as cur:
                cur.execute("SELECT pg_try_advisory_lock(%s)", (locks.STREAM,))
                taken = cur.fetchone() == (True,)
        except (psycopg2.OperationalError, psycopg2.InterfaceError, PostgresUnavailable):
            self.release()
            return None
        if taken:
            self._connection = connection
        else:
            connection.close()
        return taken

    def release(self) -> None:
        """Give the lease back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
