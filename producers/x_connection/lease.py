"""Who may be connected? One process of an installation, by a lock in PostgreSQL."""

import logging
import threading
from collections.abc import Callable
from typing import Final

import psycopg2

from producers.x_connection.clock import Clock
from schemas import locks
from schemas.transport.postgres import Connection, PostgresUnavailable

logger = logging.getLogger(__name__)

_ASK_EVERY_S: Final = 2.0


class Lease:
    """The right to connect to X, held on a connection of its own for as long as that lives.

    PostgreSQL gives it back by itself where the process or its machine ends. `lock` says which of
    X's streams it is for.
    """

    def __init__(self, connect: Callable[[], Connection], lock: int = locks.STREAM) -> None:
        self._connect = connect
        self._lock = lock
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
                cur.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,))
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


def stand_by(
    lease: Lease, tell: Callable[[str], None], stopped: Callable[[], bool], clock: Clock
) -> bool:
    """Wait for the right to connect; False where the process is stopped before it comes.

    `tell` hears why it waits, and (empty) that it does no longer.
    """
    told: bool | None = True
    never = threading.Event()
    while not stopped():
        held = lease.held()
        if held:
            tell("")
            return True
        why = "PostgreSQL does not answer" if held is None else "another process is connected"
        tell(f"standing by: {why}")
        if held is not told:
            logger.warning("standing by: %s", why)
            told = held
        clock.wait(never, _ASK_EVERY_S)
    return False


class LeaseWatch:
    """Says whether a stream may go on: not stopped, still read, the lease not another's."""

    def __init__(
        self,
        lease: Lease,
        stopped: Callable[[], bool],
        reading: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._lease = lease
        self._stopped = stopped
        self._reading = reading
        self._clock = clock
        self._ask_at_s = clock()
        self.lost = False

    def __call__(self) -> bool:
        if self._clock() >= self._ask_at_s and not self._stopped():
            self.lost = self.lost or self._lease.held() is False
            self._ask_at_s = self._clock() + _ASK_EVERY_S
        return self._reading() and not (self.lost or self._stopped())
