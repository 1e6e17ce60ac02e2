"""The hold in the life of a scoring process: seen before it consumes, followed until its end."""

from schemas.process.metric_list import SCORE_HELD, SCORE_HOLDS
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.process.running_process import RunningProcess
from schemas.setting_views import HoldLimits
from schemas.transport.compacted_topic import load_at_start
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker import CircuitBreaker
from stream_processors.circuit_breaker.breaker_topic import Hold
from stream_processors.circuit_breaker.recovery_probe import Look, wait_while_held


class HeldState:
    """Shows the hold in the probes and as a metric."""

    def __init__(self, progress: Progress, metrics: StageMetrics) -> None:
        self._progress = progress
        self._gauge = SCORE_HELD.register(metrics.registry)
        self._holds = SCORE_HOLDS.register(metrics.registry)

    def tell(self, hold: Hold | None) -> None:
        """Show a hold, or its end."""
        self._gauge.set(hold is not None)
        if hold is not None and self._progress.held is None:
            self._holds.inc()
        if hold is None and self._progress.held is not None:
            self._progress.advance()
        self._progress.held = hold.sentence() if hold is not None else None


def follow_hold(
    guard: CircuitBreaker,
    limits: HoldLimits,
    *,
    look: Look,
    publisher: ConfirmingPublisher,
    process: RunningProcess,
) -> bool:
    """Read the hold, wait while there is one, and follow it in a thread until the process ends.

    Returns whether to begin: not, where the process was told to stop first.
    """
    stopped, progress = process.stop.asked, process.progress
    if not load_at_start(guard.board.load, progress, stopped):
        return False
    process.run_beside("hold", guard.board.follow_until)
    wait_while_held(guard, limits, look=look, publisher=publisher, stopped=stopped)
    return not stopped()
