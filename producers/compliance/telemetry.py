"""What the compliance streams tell of themselves: metrics and probes."""

from collections import Counter as Counts
from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import Counter, Gauge

from producers.compliance.partitions import CompliancePartition, PartitionReader
from schemas.codec import Reason
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Health, Progress

_STAGE: Final = "compliance_stream"


class ComplianceTelemetry:
    """Metrics `murmur_compliance_stream_…` and the answers of the probes."""

    def __init__(self, clock: Callable[[], float], stall_after_s: float) -> None:
        self.metrics = StageMetrics(_STAGE)
        self.progress = Progress(clock, stall_after_s)
        self._readers: Mapping[CompliancePartition, PartitionReader] = {}
        self._standing_by = ""
        self._told: Counts[str] = Counts()
        registry = self.metrics.registry
        self._connected = Gauge(
            f"murmur_{_STAGE}_connected", "Connected partitions, of 8", registry=registry
        )
        self._endings = Counter(
            f"murmur_{_STAGE}_endings", "Ends of connections", ["reason"], registry=registry
        )

    def standing_by(self, why: str) -> None:
        """Note that there is no right to connect, or (empty) that there is."""
        self._standing_by = why

    def reading(self, readers: Mapping[CompliancePartition, PartitionReader]) -> None:
        """Note who reads."""
        self._readers = readers

    def show(self, waiting_lines: int, spilled_bytes: int) -> None:
        """Take in how things are."""
        self.progress.lag = waiting_lines + (1 if spilled_bytes else 0)
        self.metrics.lag.set(waiting_lines)
        self._connected.set(sum(reader.connected for reader in self._readers.values()))
        endings = sum((reader.endings.copy() for reader in self._readers.values()), Counts())
        for reason, count in (endings - self._told).items():
            self._endings.labels(reason).inc(count)
        self._told = endings

    def published(self, outcomes: Counts[str | Reason], at_s: float) -> None:
        """Count what the brokers have."""
        for outcome, count in outcomes.items():
            if isinstance(outcome, Reason):
                self.metrics.dead_letters.labels(outcome.value).inc(count)
            else:
                self.metrics.events.labels(outcome).inc(count)
        self.progress.advance()
        self.metrics.last_progress.set(at_s)

    def readiness(self) -> Health:
        """Red while a partition is not connected, with the reason."""
        if self._standing_by:
            return Health(False, self._standing_by)
        if not self._readers:
            return Health(False, "starting")
        for partition, reader in self._readers.items():
            if not reader.connected:
                return Health(False, f"not connected to {partition}: {reader.why_not}")
        return self.progress.readiness()
