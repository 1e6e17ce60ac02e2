"""What a running replay shows of itself, to people and to machines."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from producers.replay.plan import ArchiveFile
from producers.replay.report import FileReport
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """A moment of a replay. `unconfirmed` counts messages that Kafka has not yet acknowledged.

    `due_in_s` is how long the next tweet's time is away; nobody is waited for meanwhile.
    """

    file: ArchiveFile
    report: FileReport
    bytes_read: int
    unconfirmed: int
    lag: int | None
    waiting_for: str | None
    due_in_s: float


Watcher = Callable[[Status], None]
"""Told of the status some times a second."""


_NOTICE_AFTER_S: Final = 10.0


@dataclass
class WaitingNotice:
    """Says once, in the log, what a replay has been waiting for these ten seconds."""

    clock: Callable[[], float]
    _since_s: float | None = None
    _said: bool = False

    def __call__(self, status: Status) -> None:
        """Take a status in."""
        if status.waiting_for is None:
            self._since_s, self._said = None, False
            return
        now_s = self.clock()
        self._since_s = self._since_s if self._since_s is not None else now_s
        if not self._said and now_s - self._since_s >= _NOTICE_AFTER_S:
            self._said = True
            logger.warning(
                "waiting for %s (is `murmur score` running? --max-lag sets the bound)",
                status.waiting_for,
            )


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
        lines = (status.file.sha256, "line", "")
        events = (status.file.sha256, "out", "")
        read, written = status.report.lines, status.report.events.total()
        self.metrics.passed(
            max(0, read - self._seen.get(lines, 0)), max(0, written - self._seen.get(events, 0))
        )
        self._seen[lines], self._seen[events] = read, written
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
