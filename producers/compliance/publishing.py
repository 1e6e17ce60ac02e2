"""From the buffer to Kafka: what X's compliance streams ask for, until it is confirmed."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from producers.compliance.partitions import PartitionReader
from producers.compliance.removal_writer import RemovalWriter
from producers.compliance.results import SOURCE
from producers.compliance.stream_lines import streamed_removal
from producers.compliance.telemetry import ComplianceTelemetry
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.received_line import ReceivedLine
from schemas.codec import Reason
from schemas.transport.dead_letters import SourcePosition
from schemas.transport.publisher import DeliveryFailed

logger = logging.getLogger(__name__)

_BATCH_LINES: Final = 500
_WAIT_S: Final = 0.25
_LAST_WAIT_S: Final = 1.0


class RemovalPublishing:
    """Publishes what is received; a batch that Kafka does not confirm is published again.

    The readers are looked after meanwhile, a few times a second.
    """

    def __init__(
        self,
        inbox: LineBuffer,
        make_writer: Callable[[], RemovalWriter],
        telemetry: ComplianceTelemetry,
        clock: Clock,
        readers: Sequence[PartitionReader],
    ) -> None:
        self._inbox = inbox
        self._make_writer = make_writer
        self._writer = make_writer()
        self._telemetry = telemetry
        self._clock = clock
        self._readers = readers
        self._content = f"{SOURCE}:{clock.now():%Y%m%dT%H%M%SZ}"
        self._number = 0
        self._batch: list[ReceivedLine] = []
        self.published: Counter[str | Reason] = Counter()

    def run(self, may_go_on: Callable[[], bool]) -> None:
        """Publish until `may_go_on` says no; then `finish`."""
        while may_go_on():
            self._step(_WAIT_S, may_go_on)

    def finish(self) -> None:
        """Publish for a moment what has arrived; the rest waits on disk for the next start."""
        give_up_at_s = self._clock.monotonic_s() + _LAST_WAIT_S

        def in_time() -> bool:
            return self._clock.monotonic_s() < give_up_at_s

        while in_time() and (self._batch or self._inbox.waiting_lines):
            self._step(0.0, in_time)
        try:
            self._inbox.close()
        except OSError as error:
            logger.error("removals are lost until `murmur compliance run`: %s", error.strerror)  # noqa: TRY400

    def _step(self, wait_s: float, going_on: Callable[[], bool]) -> None:
        self._look()
        self._batch = self._batch or list(self._inbox.take(_BATCH_LINES, wait_s))
        if not self._batch:
            self._telemetry.progress.idle()
        elif self._confirmed(going_on):
            self._number += len(self._batch)
            self._batch = []
            self._inbox.done()

    def _look(self) -> None:
        for reader in self._readers:
            reader.look()
        self._telemetry.show(self._inbox.waiting_lines, self._inbox.spilled_bytes)

    def _confirmed(self, going_on: Callable[[], bool]) -> bool:
        outcomes: Counter[str | Reason] = Counter()
        try:
            for number, line in enumerate(self._batch, start=self._number + 1):
                parse = partial(streamed_removal, line.raw, line.received_at)
                position = SourcePosition(self._content, 0, number)
                outcomes[self._writer.write(line.raw, parse, position)] += 1
            if not self._writer.publisher.confirm_while(going_on, self._look):
                return False
        except DeliveryFailed as failure:
            logger.error("Kafka did not confirm a batch, it is sent again: %s", failure)  # noqa: TRY400
            self._telemetry.progress.unavailable = "kafka"
            self._writer = self._make_writer()
            return False
        self.published.update(outcomes)
        self._telemetry.published(outcomes, self._clock.now().timestamp())
        return True
