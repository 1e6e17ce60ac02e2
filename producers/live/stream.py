"""The live stream: from the buffer to Kafka; what is safe moves the stored coverage."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from producers.live.capture import Capture
from producers.live.coverage_store import CoverageStore
from producers.live.read_quota import ReadQuota
from producers.live.reader import Reader
from producers.live.telemetry import StreamTelemetry
from producers.x_api.publishing import Destination, Document, publish_document
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.received_line import ReceivedLine
from schemas.events import TweetPosted
from schemas.transport.postgres import PostgresUnavailable
from schemas.transport.publisher import ConfirmingPublisher, DeliveryFailed

logger = logging.getLogger(__name__)

_BATCH_LINES: Final = 500
_WAIT_S: Final = 0.25
_STORE_EVERY_S: Final = 1.0
_STORE_AGAIN_S: Final = 5.0
_LAST_WAIT_S: Final = 1.0
"""How long a stopped stream goes on publishing; the rest goes to disk."""


class Stream:
    """Publishes what the reader receives; only what the brokers have moves the stored coverage.

    Kafka that is slow or away holds it up, and nobody else: the batch is published again until it
    is confirmed, so a reader of the topic may see a tweet twice.
    """

    def __init__(
        self,
        *,
        reader: Reader,
        inbox: LineBuffer,
        spend: ReadQuota,
        ledger: CoverageStore,
        make_publisher: Callable[[], ConfirmingPublisher],
        to: Destination,
        capture: Capture | None,
        telemetry: StreamTelemetry,
        clock: Clock,
        may_go_on: Callable[[], bool],
    ) -> None:
        self._reader = reader
        self._inbox = inbox
        self._spend = spend
        self._ledger = ledger
        self._make_publisher = make_publisher
        self._publisher = make_publisher()
        self._to = to
        self._capture = capture
        self._telemetry = telemetry
        self._clock = clock
        self._may_go_on = may_go_on
        self._number = 0
        self._batch: list[ReceivedLine] = []
        self._safe_until: datetime | None = None
        self._last_tweet_id: str | None = None
        self._next_store_s = clock.monotonic_s()
        self.published: Counter[str] = Counter()

    def run(self) -> None:
        """Publish until `may_go_on` says no; then `finish`."""
        while self._may_go_on():
            self._step(_WAIT_S, self._may_go_on)

    def finish(self, ended: str) -> None:
        """Publish for a moment what has arrived, keep the rest on disk, and say why it ended.

        The reader has been stopped before.
        """
        give_up_at_s = self._clock.monotonic_s() + _LAST_WAIT_S

        def in_time() -> bool:
            return self._clock.monotonic_s() < give_up_at_s

        while in_time() and (self._batch or self._inbox.waiting_lines):
            self._step(0.0, in_time)
        try:
            self._inbox.close()
        except OSError as error:
            logger.error("what was not published becomes part of a gap: %s", error.strerror)  # noqa: TRY400
        else:
            # All that was received is with Kafka or on the disk.
            self._safe_until = self._reader.covered_until
        if self._capture is not None:
            self._capture.close(self._clock.now())
        self._store(ended)

    def _step(self, wait_s: float, going_on: Callable[[], bool]) -> None:
        if not self._batch:
            self._batch = list(self._inbox.take(_BATCH_LINES, wait_s))
            if self._capture is not None:
                self._capture.write(self._batch)
        if self._batch and self._publish(self._batch, going_on):
            self._safe_until = self._batch[-1].received_at
            self._batch = []
            self._inbox.done()
            self._telemetry.progress.advance()
            self._telemetry.metrics.last_progress.set(self._clock.now().timestamp())
        elif not self._batch:
            self._telemetry.progress.idle()
        self._housekeep()

    def _publish(self, lines: list[ReceivedLine], going_on: Callable[[], bool]) -> bool:
        counted: Counter[str] = Counter()
        last_tweet_id = None
        try:
            for number, line in enumerate(lines, start=self._number + 1):
                document = Document(line.raw, line.received_at, number)
                parsed = publish_document(self._publisher, document, self._to)
                counted.update(type(event).__name__ for event in parsed.events)
                counted.update(f"dead-letter {refused.reason}" for refused in parsed.refused)
                counted.update(parsed.skipped)
                for event in parsed.events:
                    if isinstance(event, TweetPosted):
                        last_tweet_id = event.tweet_id
            if not self._publisher.confirm_while(going_on, self._housekeep):
                return False
        except DeliveryFailed as failure:
            logger.error("Kafka did not confirm a batch, it is sent again: %s", failure)  # noqa: TRY400
            self._telemetry.progress.unavailable = "kafka"
            self._publisher = self._make_publisher()
            return False
        self._number += len(lines)
        self._last_tweet_id = last_tweet_id or self._last_tweet_id
        self._count(counted)
        return True

    def _housekeep(self) -> None:
        """Store and show what moved, from time to time, also while Kafka is slow."""
        if self._clock.monotonic_s() >= self._next_store_s:
            self._show()
            self._store("")

    def _store(self, ended: str) -> None:
        posts, gaps = self._spend.uncounted(), self._reader.take_gaps()
        now = self._clock.now()
        try:
            totals = self._ledger.store(
                covered_until=self._safe_until,
                last_tweet_id=self._last_tweet_id,
                ended=ended,
                gaps=gaps,
                posts=posts,
                month=now.date(),
            )
        except PostgresUnavailable:
            self._reader.give_gaps_back(gaps)
            logger.warning("PostgreSQL does not answer; the stream continues and stores later")
            self._next_store_s = self._clock.monotonic_s() + _STORE_AGAIN_S
            return
        self._spend.stored(posts, totals)
        self._next_store_s = self._clock.monotonic_s() + _STORE_EVERY_S

    def _show(self) -> None:
        self._telemetry.show(
            self._reader.status,
            waiting_lines=self._inbox.waiting_lines,
            spilled_bytes=self._inbox.spilled_bytes,
            month_posts=self._spend.month_total(self._clock.now()),
            covered_until=self._reader.covered_until,
            capture_failures=0 if self._capture is None else self._capture.failures,
        )

    def _count(self, counted: Counter[str]) -> None:
        self.published.update(counted)
        metrics = self._telemetry.metrics
        for outcome, count in counted.items():
            if outcome.startswith("dead-letter "):
                metrics.dead_letters.labels(outcome.removeprefix("dead-letter ")).inc(count)
            else:
                metrics.events.labels(outcome).inc(count)
