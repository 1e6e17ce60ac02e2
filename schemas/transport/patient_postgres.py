"""PostgreSQL for a process that writes to it: waited for while it is away, tried again where that
may help."""

import logging
from collections.abc import Callable, Iterator
from typing import Final

import psycopg2
import psycopg2.errors
import tenacity

from schemas.process.progress import Progress
from schemas.transport.postgres import Connection, PostgresRefused, PostgresUnavailable

logger = logging.getLogger(__name__)

REFUSED: Final = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    psycopg2.NotSupportedError,
    psycopg2.errors.ProgramLimitExceeded,
)
"""What PostgreSQL refuses, and will refuse again."""

GIVE_UP_AFTER_S: Final = 240
"""How long PostgreSQL may be away before the process ends and its supervisor starts it anew: less
than the five minutes after which Kafka takes the partitions from a consumer that does not poll."""


class Database:
    """One connection, opened at the first use, and anew by `connect` after it broke.

    While PostgreSQL is away `progress` says so. For one thread.
    """

    def __init__(self, connect: Callable[[], Connection], progress: Progress) -> None:
        self._connect = connect
        self._progress = progress
        self._connection: Connection | None = None

    def attempts(self) -> Iterator[tenacity.AttemptManager]:
        """Yield blocks to use the connection in, until the work in one of them is done.

        Raises what may pass after `GIVE_UP_AFTER_S`, and everything else at once: also a wrong
        certificate or password.
        """
        yield from tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_pass),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            stop=tenacity.stop_after_delay(GIVE_UP_AFTER_S),
            before_sleep=self._note_outage,
            reraise=True,
        )
        self._progress.unavailable = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def connection(self) -> Connection:
        """Return the connection, made anew where it is closed; raises what `connect` raises."""
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def _note_outage(self, state: tenacity.RetryCallState) -> None:
        self._progress.unavailable = "PostgreSQL"
        fault = state.outcome.exception() if state.outcome else None
        logger.warning("PostgreSQL: %s, trying again", type(fault).__name__)


def _may_pass(fault: BaseException) -> bool:
    kinds = (psycopg2.OperationalError, psycopg2.InterfaceError, PostgresUnavailable)
    return isinstance(fault, kinds) and not isinstance(fault, (*REFUSED, PostgresRefused))
