"""What surrounds a stream of X's: probes, signals, bounded waits, and the right to connect."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final, Protocol

from producers.x_connection.clock import Clock
from producers.x_connection.lease import Lease, stand_by
from producers.x_connection.postgres_timeout import limited_waits
from schemas.failures import Failure
from schemas.process.metrics import StageMetrics
from schemas.process.probes import serve_probes
from schemas.process.progress import Health, Progress
from schemas.process.stop_signals import StopSignals
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres

logger = logging.getLogger(__name__)

_POSTGRES_S: Final = 10.0
_POSTGRES_AT_STOP_S: Final = 0.5


class Telemetry(Protocol):
    """What the probes show of a stream."""

    metrics: StageMetrics
    progress: Progress

    def standing_by(self, why: str) -> None:
        """Note why there is no right to connect, or (empty) that there is."""
        ...

    def readiness(self) -> Health:
        """Answer `/readyz`."""
        ...


@contextmanager
def holding(
    settings: Settings,
    telemetry: Telemetry,
    *,
    lock: int,
    probe_port: int,
    interrupted: StopSignals,
    clock: Clock,
) -> Iterator[Lease | None]:
    """Serve probes and wait for the lease; None where the process is stopped before it comes.

    Raises `Failure` where the port of the probes cannot be had.
    """
    telemetry.standing_by("starting")
    with ExitStack() as stack:
        try:
            port = stack.enter_context(
                serve_probes(
                    settings.probe_host,
                    probe_port,
                    telemetry.metrics.registry,
                    health=telemetry.progress.health,
                    readiness=telemetry.readiness,
                )
            )
        except OSError as error:
            raise Failure(f"port {probe_port} of the probes: {error.strerror}") from error
        logger.info("probes at http://%s:%d", settings.probe_host, port)
        stack.enter_context(interrupted.watching())
        stack.enter_context(
            limited_waits(lambda: _POSTGRES_AT_STOP_S if interrupted.asked() else _POSTGRES_S)
        )
        lease = Lease(partial(connect_postgres, settings, f"{telemetry.metrics.stage} lease"), lock)
        stack.callback(lease.release)
        held = stand_by(lease, telemetry.standing_by, interrupted.asked, clock)
        telemetry.progress.ready = held
        yield lease if held else None
