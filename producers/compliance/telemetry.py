"""What the compliance streams tell of themselves: metrics and probes."""

from collections import Counter as Counts
from collections.abc import Sequence
from typing import Final

from producers.x_connection.reader import StreamReader
from schemas.process import metric_list
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Health, Progress

STAGE: Final = "compliance_stream"


class ComplianceTelemetry:
    """Metrics `murmur_compliance_stream_…` and the answers of the probes."""

    def __init__(self, metrics: StageMetrics, progress: Progress) -> None:
        self.metrics = metrics
        self.progress = progress
        self._readers: Sequence[StreamReader] = ()
        self._standing_by = ""
        self._told: Counts[str] = Counts()
        registry = self.metrics.registry
        self._connected = metric_list.COMPLIANCE_CONNECTED.register(registry)
        self._endings = metric_list.COMPLIANCE_ENDINGS.register(registry)

    def standing_by(self, why: str) -> None:
        """Note that there is no right to connect, or (empty) that there is."""
        self._standing_by = why

    def reading(self, readers: Sequence[StreamReader]) -> None:
        """Note who reads."""
        self._readers = readers

    def show(self, waiting_lines: int) -> None:
        """Take in how things are."""
        self.metrics.lag.set(waiting_lines)
        self._connected.set(sum(reader.status.connected for reader in self._readers))
        endings = sum((reader.status.endings.copy() for reader in self._readers), Counts())
        for reason, count in (endings - self._told).items():
            self._endings.labels(reason).inc(count)
        self._told = endings

    def readiness(self) -> Health:
        """Red while a partition is not connected, with the reason."""
        if self._standing_by:
            return Health(False, self._standing_by)
        if not self._readers:
            return Health(False, "starting")
        for reader in self._readers:
            if not reader.status.connected:
                return Health(False, f"not connected to {reader.stream}: {reader.status.why_not}")
        return self.progress.readiness()
