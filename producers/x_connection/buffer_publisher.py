"""From the buffer to Kafka, a batch at a time, each until it is confirmed."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from producers.parsing.provenance import Parsed
from producers.publishing.destination import Destination
from producers.publishing.outgoing import SourceRecord, publish_record
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.received_line import ReceivedLine
from schemas.codec import Reason
from schemas.events import RawEvent
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.transport.publisher import ConfirmingPublisher, DeliveryFailed

logger = logging.getLogger(__name__)

_KAFKA: Final = "Kafka"
_BATCH_LINES: Final = 500
_WAIT_S: Final = 0.25
_LAST_WAIT_S: Final = 1.0
"""How long a stopped stream goes on publishing; the rest goes to disk."""


class PublishedStream(Protocol):
    """The stream whose lines are published: what they hold, and what follows."""

    def read(self, line: ReceivedLine, number: int) -> tuple[SourceRecord, Parsed]:
        """Return what a line holds. `number` counts the lines that were published, from 1."""
        ...

    def taken(self, lines: list[ReceivedLine]) -> None:
        """Note what was received: each line once, before it is published."""
        ...

    def confirmed(self, lines: list[ReceivedLine], events: list[RawEvent]) -> None:
        """Note that the brokers have all that these lines hold."""
        ...

    def meanwhile(self) -> None:
        """Do what has to be done a few times a second, also while Kafka is slow."""
        ...


class BufferPublisher:
    """Publishes what a buffer holds; what the brokers did not confirm is published again.

    So a reader of the topic may see a tweet twice. Kafka that is slow or away holds this up, and
    nobody else. `published` counts by outcome what the brokers have.
    """

    def __init__(
        self,
        stream: PublishedStream,
        *,
        buffer: LineBuffer,
        make_publisher: Callable[[], ConfirmingPublisher],
        to: Destination,
        metrics: StageMetrics,
        progress: Progress,
        clock: Clock,
    ) -> None:
        self._stream = stream
        self._buffer = buffer
        self._make_publisher = make_publisher
        self._publisher = make_publisher()
        self._to = to
        self._metrics = metrics
        self._progress = progress
        self._clock = clock
        self._number = 0
        self._batch: list[ReceivedLine] = []
        self.published: Counter[str | Reason] = Counter()

    def run(self, may_go_on: Callable[[], bool]) -> None:
        """Publish until `may_go_on` says no; then `finish`."""
        while may_go_on():
            self._step(_WAIT_S, may_go_on)

    def finish(self) -> None:
        """Publish for a moment what has arrived; what is left stays on disk for the next start.

        The readers have been stopped before. Raises `OSError` where the disk fails.
        """
        give_up_at_s = self._clock.monotonic_s() + _LAST_WAIT_S

        def in_time() -> bool:
            return self._clock.monotonic_s() < give_up_at_s

        while in_time() and (self._batch or self._buffer.waiting_lines):
            self._step(0.0, in_time)
        self._buffer.close()

    def _step(self, wait_s: float, going_on: Callable[[], bool]) -> None:
        if not self._batch:
            self._batch = list(self._buffer.take(_BATCH_LINES, wait_s))
            self._stream.taken(self._batch)
        if not self._batch:
            self._progress.idle()
        elif self._is_published(going_on):
            self._batch = []
            self._buffer.done()
            self._progress.advance()
            self._metrics.last_progress.set(self._clock.now().timestamp())
        self._stream.meanwhile()

    def _is_published(self, going_on: Callable[[], bool]) -> bool:
        outcomes: Counter[str | Reason] = Counter()
        events: list[RawEvent] = []
        try:
            for number, line in enumerate(self._batch, start=self._number + 1):
                record, parsed = self._stream.read(line, number)
                messages = publish_record(self._publisher, record, parsed, self._to)
                events += [message.event for message in messages.events]
                outcomes.update(letter.reason for letter in messages.dead_letters)
                outcomes.update(parsed.skipped)
            if not self._publisher.confirm_while(going_on, self._wait_for_kafka):
                return False
        except DeliveryFailed as failure:
            logger.error("Kafka did not take a batch, it is sent again: %s", failure)  # noqa: TRY400
            self._progress.unavailable = _KAFKA
            self._publisher = self._make_publisher()
            return False
        outcomes.update(type(event).__name__ for event in events)
        self._number += len(self._batch)
        self._count(outcomes)
        self._metrics.passed(len(self._batch), len(events))
        self._stream.confirmed(self._batch, events)
        return True

    def _wait_for_kafka(self) -> None:
        self._progress.wait_for(_KAFKA)
        self._stream.meanwhile()

    def _count(self, outcomes: Counter[str | Reason]) -> None:
        self.published.update(outcomes)
        for outcome, count in outcomes.items():
            if isinstance(outcome, Reason):
                self._metrics.dead_letters.labels(outcome.value).inc(count)
            else:
                self._metrics.events.labels(outcome).inc(count)
