"""What a stream of X's needs besides: the right to connect, and waits that a stop can bound."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from producers.x_connection.clock import Clock
from producers.x_connection.lease import Lease, stand_by
from producers.x_connection.postgres_timeout import limited_waits
from schemas.process.running_process import RunningProcess
from schemas.setting_views import PostgresConnection
from schemas.transport.postgres import connect_postgres

_POSTGRES_S: Final = 10.0
_POSTGRES_AT_STOP_S: Final = 0.5
"""A stream's own end takes two of these and two seconds more: well within the watchdog's nine."""


@contextmanager
def leased(
    postgres: PostgresConnection,
    process: RunningProcess,
    *,
    lock: int,
    standing_by: Callable[[str], None],
    clock: Clock,
) -> Iterator[Lease | None]:
    """Wait for the lease; None where the process is stopped before it comes.

    `standing_by` hears why it waits, and (empty) that it does no longer. The process is ready once
    it has the lease, and gives it back at the end of the block.
    """
    stopped, progress = process.stop.asked, process.progress
    with limited_waits(
        lambda: _POSTGRES_AT_STOP_S if stopped() else _POSTGRES_S,
        lambda: progress.wait_for("PostgreSQL"),
    ):
        connect = partial(connect_postgres, postgres, f"{process.metrics.stage} lease")
        lease = Lease(connect, lock)
        try:
            progress.ready = stand_by(lease, standing_by, stopped, clock)
            yield lease if progress.ready else None
        finally:
            lease.release()
