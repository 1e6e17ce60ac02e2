"""What surrounds a stream of X's: probes, signals, bounded waits, and the right to connect."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final, Protocol

from producers.live.clock import Clock
from producers.live.lease import Lease, stand_by
from producers.live.postgres_waits import limited_waits
from producers.replaying.interruption import Interruption
from schemas.failures import Failure
from schemas.observability.metrics import StageMetrics
from schemas.observability.probes import serve_probes
from schemas.observability.progress import Health, Progress
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
    interrupted: Interruption,
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
                    settings.probe_host, probe_port, telemetry.metrics.registry,
                    health=telemetry.progress.health, readiness=telemetry.readiness,
                )
            )  # fmt: skip
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
