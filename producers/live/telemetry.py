"""What the stream tells of itself: metrics and probes, from counts that others keep."""

from collections import Counter as Counts
from datetime import datetime

from prometheus_client import Counter, Gauge

from producers.live.reader import ReaderStatus
from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_connection.connection_end import Ending
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

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"murmur_stream_{name}", text, registry=registry)

        self._connected = gauge("connected", "1 while X sends")
        self._wait = gauge("next_wait_seconds", "Wait before the next connect, by X's rules")
        self._last_line = gauge("last_line_timestamp_seconds", "When the last line came")
        self._spilled = gauge("spilled_bytes", "Lines on disk because Kafka is slow")
        self._posts = gauge("month_posts", "Posts read in this UTC month")
        self._limit = gauge("month_posts_limit", "MURMUR_X_MONTHLY_POSTS")
        self._limit.set(monthly_posts)
        self._paused = gauge("spend_paused", "1 while the spend guard holds the stream")
        self._capture = gauge("capture_failures", "Pieces of the capture that were not written")
        self._connects = Counter(
            "murmur_stream_connects", "Attempts at a connection", registry=registry
        )
        self._endings = Counter(
            "murmur_stream_endings", "Ends of connections", ["reason"], registry=registry
        )
        self._missing = Counter(
            "murmur_stream_missing_fields",
            "Posts that came without what was asked for",
            ["field"],
            registry=registry,
        )

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
        self.progress.lag = waiting_lines + (1 if spilled_bytes else 0)
        self.metrics.lag.set(waiting_lines)
        self._connected.set(status.connected)
        self._wait.set(0.0 if status.connected else status.next_wait_s)
        self._last_line.set(covered_until.timestamp() if covered_until is not None else 0)
        self._spilled.set(spilled_bytes)
        self._posts.set(month_posts)
        self._paused.set(status.why_not == Ending.SPEND_GUARD)
        self._capture.set(capture_failures)
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
