"""Transactions on a connection that is opened anew where it was lost."""

from collections.abc import Callable
from typing import TypeVar

import psycopg2
import psycopg2.errors
from psycopg2.extensions import cursor

from schemas.failures import Failure
from schemas.transport.postgres import (
    REFUSES_WRITES,
    TAKES_NO_WRITES,
    Connection,
    PostgresUnavailable,
)

ResultT = TypeVar("ResultT")


class Transactions:
    """Runs pieces of work, each as one transaction, on one connection.

    A connection that was lost is opened anew at the next call. Raises `PostgresUnavailable` where
    PostgreSQL does not answer, and `Failure` where tables are missing.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None

    def run(self, work: Callable[[cursor], ResultT]) -> ResultT:
        """Return what the work returns, committed; after an error nothing of it is stored."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            with self._connection as connection, connection.cursor() as cur:
                return work(cur)
        except psycopg2.errors.UndefinedTable as error:
            raise Failure("the database lacks tables: run `murmur init`") from error
        except REFUSES_WRITES as error:
            raise PostgresUnavailable(TAKES_NO_WRITES) from error
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise PostgresUnavailable("the connection to PostgreSQL broke") from error

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
