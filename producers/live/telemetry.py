"""What the stream tells of itself: metrics and probes, from counts that others keep."""

from collections import Counter as Counts
from datetime import datetime

from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_connection.connection_end import Ending
from producers.x_connection.reader import ReaderStatus
from schemas.process import metric_list
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Health, Progress


class StreamTelemetry:
    """Metrics `murmur_stream_…` and the answers of the probes. No label grows with the tweets."""

    def __init__(self, metrics: StageMetrics, progress: Progress, monthly_posts: int) -> None:
        self.metrics = metrics
        self.progress = progress
        self._standing_by = ""
        self._status = ReaderStatus()
        self._told: dict[str, int] = {}
        self._choice: VocabularyChoice | None = None
        self._told_missing: Counts[str] = Counts()
        registry = metrics.registry
        self._connected = metric_list.STREAM_CONNECTED.register(registry)
        self._wait = metric_list.STREAM_NEXT_WAIT.register(registry)
        self._last_line = metric_list.STREAM_LAST_LINE.register(registry)
        self._spilled = metric_list.STREAM_SPILLED.register(registry)
        self._posts = metric_list.STREAM_MONTH_POSTS.register(registry)
        metric_list.STREAM_MONTH_POSTS_LIMIT.register(registry).set(monthly_posts)
        self._paused = metric_list.STREAM_SPEND_PAUSED.register(registry)
        self._capture = metric_list.STREAM_CAPTURE_FAILURES.register(registry)
        self._capture_lost = metric_list.STREAM_CAPTURE_LOSSES.register(registry)
        self._told_capture = 0
        self._connects = metric_list.STREAM_CONNECTS.register(registry)
        self._endings = metric_list.STREAM_ENDINGS.register(registry)
        self._missing = metric_list.STREAM_MISSING_FIELDS.register(registry)

    def standing_by(self, why: str) -> None:
        """Note that there is no right to connect, or (empty) that there is."""
        self._standing_by = why

    def asking(self, choice: VocabularyChoice) -> None:
        """Note who counts what X's answers lack."""
        self._choice = choice

    def show(
        self,
        status: ReaderStatus,
        *,
        waiting_lines: int,
        spilled_bytes: int,
        month_posts: int,
        covered_until: datetime | None,
        capture_failures: int,
    ) -> None:
        """Take the reader's status in."""
        self._status = status
        self.metrics.lag.set(waiting_lines)
        self._connected.set(status.connected)
        self._wait.set(0.0 if status.connected else status.next_wait_s)
        self._last_line.set(covered_until.timestamp() if covered_until is not None else 0)
        self._spilled.set(spilled_bytes)
        self._posts.set(month_posts)
        self._paused.set(status.why_not == Ending.SPEND_GUARD)
        self._capture.set(capture_failures)
        self._capture_lost.inc(max(0, capture_failures - self._told_capture))
        self._told_capture = capture_failures
        self._count("", status.connects)
        for reason, count in list(status.endings.items()):
            self._count(reason, count)
        missing = Counts[str]() if self._choice is None else Counts[str](self._choice.missing)
        for field, count in (missing - self._told_missing).items():
            self._missing.labels(field).inc(count)
        self._told_missing = missing

    def readiness(self) -> Health:
        """Red while no post could arrive, with the reason; else as the publishing is."""
        if self._standing_by:
            return Health(False, self._standing_by)
        if not self._status.connected:
            return Health(False, f"not connected: {self._status.why_not}")
        return self.progress.readiness()

    def _count(self, reason: str, count: int) -> None:
        added = count - self._told.get(reason, 0)
        if added:
            (self._endings.labels(reason) if reason else self._connects).inc(added)
            self._told[reason] = count
