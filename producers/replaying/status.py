"""What a running replay shows of itself, to people and to machines."""

from collections.abc import Callable
from dataclasses import dataclass, field

from producers.replaying.plan import ArchiveFile
from producers.replaying.report import FileReport
from schemas.observability.metrics import StageMetrics
from schemas.observability.progress import Progress


@dataclass(frozen=True)
class Status:
    """A moment of a replay. `unconfirmed` counts messages that Kafka has not yet acknowledged."""

    file: ArchiveFile
    report: FileReport
    bytes_read: int
    unconfirmed: int
    lag: int | None
    waiting_for: str | None


Watcher = Callable[[Status], None]
"""Told of the status some times a second."""


@dataclass
class Telemetry:
    """Keeps metrics and health at what the status says."""

    metrics: StageMetrics
    progress: Progress
    now_s: Callable[[], float]
    _seen: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def __call__(self, status: Status) -> None:
        """Take a status in."""
        moved = self._count(status)
        self.metrics.lag.set(status.lag or 0)
        self.progress.lag = status.unconfirmed
        self.progress.ready = True
        if moved or status.unconfirmed == 0:
            self.progress.advance()
            self.metrics.last_progress.set(self.now_s())
        self.progress.unavailable = status.waiting_for

    def _count(self, status: Status) -> bool:
        moved = False
        for kind, counts, counter in (
            ("event", status.report.events, self.metrics.events),
            ("dead-letter", status.report.dead_letters, self.metrics.dead_letters),
        ):
            for name, count in counts.items():
                key = (status.file.sha256, kind, name)
                added = count - self._seen.get(key, 0)
                if added:
                    counter.labels(name).inc(added)
                    self._seen[key] = count
                    moved = True
        return moved
