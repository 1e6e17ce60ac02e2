"""The live stream: what its lines hold, and into the coverage store what of it is safe."""

import logging
from datetime import datetime
from typing import Final

from producers.live.capture import Capture
from producers.live.coverage_store import CoverageStore
from producers.live.monthly_read_limit import ReadQuota
from producers.live.receiver import LiveReceiver
from producers.live.telemetry import StreamTelemetry
from producers.parsing.provenance import Origin, Parsed
from producers.publishing.outgoing import SourceRecord
from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_api.missing_fields import seen_in
from producers.x_api.v2_documents import parse_document
from producers.x_api.v2_json_types import WireDocument
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.reader import ReaderStatus
from producers.x_connection.received_line import ReceivedLine
from schemas.events import RawEvent, TweetPosted
from schemas.transport.postgres import PostgresUnavailable

logger = logging.getLogger(__name__)

_STORE_EVERY_S: Final = 1.0
_STORE_AGAIN_S: Final = 5.0


class LiveStream:
    """The `PublishedStream` of the filtered stream.

    Only what the brokers have moves the stored coverage.
    """

    def __init__(
        self,
        *,
        status: ReaderStatus,
        receiver: LiveReceiver,
        buffer: LineBuffer,
        spend: ReadQuota,
        ledger: CoverageStore,
        origin: Origin,
        choice: VocabularyChoice,
        capture: Capture | None,
        telemetry: StreamTelemetry,
        clock: Clock,
    ) -> None:
        self._status = status
        self._receiver = receiver
        self._buffer = buffer
        self._spend = spend
        self._ledger = ledger
        self._origin = origin
        self._choice = choice
        self._capture = capture
        self._telemetry = telemetry
        self._clock = clock
        self._safe_until: datetime | None = None
        self._last_tweet_id: str | None = None
        self._next_store_s = clock.monotonic_s()

    def read(self, line: ReceivedLine, number: int) -> tuple[SourceRecord, Parsed]:
        """Return the tweets of a line and what is at fault in it; count what it lacks."""
        content = self._origin.content
        timestamp_ms = int(line.received_at.timestamp() * 1000)
        record = SourceRecord(line.raw, content, number, timestamp_ms=timestamp_ms, name=content)
        parsed = parse_document(line.raw, self._origin, line.received_at, number)
        if isinstance(parsed.context, WireDocument):
            self._choice.count(seen_in(parsed.context))
        return record, parsed

    def taken(self, lines: list[ReceivedLine]) -> None:
        """Write the lines into the capture."""
        if self._capture is not None:
            self._capture.write(lines)

    def confirmed(self, lines: list[ReceivedLine], events: list[RawEvent]) -> None:
        """Move on what is to be stored as covered."""
        self._safe_until = lines[-1].received_at
        for event in events:
            if isinstance(event, TweetPosted):
                self._last_tweet_id = event.tweet_id

    def meanwhile(self) -> None:
        """Store and show what moved, from time to time."""
        if self._clock.monotonic_s() >= self._next_store_s:
            self._show()
            self._store("")

    def finish(self, ended: str, *, all_kept: bool) -> None:
        """Finish the capture and store why the stream ended.

        `all_kept`: all that was received is with Kafka or on the disk.
        """
        if all_kept:
            self._safe_until = self._receiver.covered_until
        if self._capture is not None:
            self._capture.close(self._clock.now())
        self._store(ended)

    def _store(self, ended: str) -> None:
        posts, gaps = self._spend.uncounted(), self._receiver.take_gaps()
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
            self._receiver.give_gaps_back(gaps)
            logger.warning("PostgreSQL does not answer; the stream continues and stores later")
            self._next_store_s = self._clock.monotonic_s() + _STORE_AGAIN_S
            return
        self._spend.stored(posts, totals)
        self._next_store_s = self._clock.monotonic_s() + _STORE_EVERY_S

    def _show(self) -> None:
        self._telemetry.show(
            self._status,
            waiting_lines=self._buffer.waiting_lines,
            spilled_bytes=self._buffer.spilled_bytes,
            month_posts=self._spend.month_total(self._clock.now()),
            covered_until=self._receiver.covered_until,
            capture_failures=0 if self._capture is None else self._capture.failures,
        )
