"""A few connections to PostgreSQL that many requests share."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg2
from psycopg2.errors import QueryCanceled, UndefinedTable

from schemas.failures import Failure
from schemas.setting_views import PostgresConnection
from schemas.transport.postgres import (
    REFUSES_WRITES,
    TAKES_NO_WRITES,
    Connection,
    PostgresUnavailable,
    connect_postgres,
)

logger = logging.getLogger(__name__)

_WAIT_S: Final = 5.0


class PostgresBusy(Failure):
    """No connection became free in time, or a statement took too long."""


class ValueRefused(Failure):
    """PostgreSQL cannot hold a value that it was given."""


class PostgresPool:
    """At most `size` connections, each opened when it is first needed, lent to one at a time.

    `server` is asked at each opening and may raise a `Failure`. A statement that takes longer than
    `statement_timeout_s` is ended.
    """

    def __init__(
        self,
        server: Callable[[], PostgresConnection],
        application: str,
        *,
        size: int,
        statement_timeout_s: float,
    ) -> None:
        self._server = server
        self._application = application
        self._statement_timeout_ms = round(statement_timeout_s * 1000)
        self._free = threading.BoundedSemaphore(size)
        self._idle: deque[Connection] = deque()

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection; what the block leaves open is rolled back.

        Raises `PostgresUnavailable`, `PostgresBusy` or `ValueRefused` for what PostgreSQL does in
        the block, and `Failure` where a table is missing.
        """
        if not self._free.acquire(timeout=_WAIT_S):
            raise PostgresBusy("the database is busy: try again, or ask for less")
        try:
            connection = self._working() or self._opened()
            try:
                yield connection
            except QueryCanceled as error:
                raise PostgresBusy("the answer takes too long: ask for less") from error
            except psycopg2.DataError as error:
                raise ValueRefused("the database cannot hold one of the values") from error
            except UndefinedTable as error:
                raise Failure("the database lacks tables: run `murmur init`") from error
            except REFUSES_WRITES as error:
                raise PostgresUnavailable(TAKES_NO_WRITES) from error
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                connection.close()
                raise PostgresUnavailable("PostgreSQL does not answer") from error
            finally:
                self._take_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the connections that are not lent."""
        while self._idle:
            self._idle.popleft().close()

    def _working(self) -> Connection | None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT")
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                connection.close()
            else:
                return connection

    def _opened(self) -> Connection:
        connection = connect_postgres(self._server(), self._application)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, false)",
                (str(self._statement_timeout_ms),),
            )
        return connection

    def _take_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            connection.close()
        else:
            self._idle.append(connection)
