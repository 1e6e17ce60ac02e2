"""The sink process: read a batch, store it, commit its offsets, again."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import psycopg2
import psycopg2.errors
import tenacity
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from schemas.codec import Reason
from schemas.events import TweetScored
from schemas.process.metric_list import SINK_EVENT_AGE, SINK_REMOVAL_AGE
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, SCORED, SINK_GROUP, group_name, topic_name
from schemas.transport.bisect import bisect
from schemas.transport.consumer import CommittingConsumer
from schemas.transport.dead_letters import DeadLetter, DeadLetterWriter
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.lag_watch import LagWatch, note_expired
from schemas.transport.postgres import Connection, PostgresUnavailable
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.sink.incoming import (
    Batch,
    Incoming,
    Partition,
    Stored,
    position_of,
    read_batch,
    refused,
)
from stream_processors.sink.kafka_offsets import KafkaOffsets
from stream_processors.sink.positions import find_topic_ids, read_positions
from stream_processors.sink.transaction import SinkTransaction

logger = logging.getLogger(__name__)

POLL_S = 0.05
GIVE_UP_AFTER_S = 240
"""How long PostgreSQL may be away before the process ends and its supervisor starts it anew: less
than the five minutes after which Kafka takes the partitions from a consumer that does not poll."""

REFUSED = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    psycopg2.NotSupportedError,
    psycopg2.errors.ProgramLimitExceeded,
)
"""What PostgreSQL says of content that it will never take; everything else may pass."""


class Sink:
    """Stores scored tweets and dead letters; nothing is lost, and repeats change nothing.

    `connect` opens a connection to PostgreSQL, and is called anew after a connection broke.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        connect: Callable[[], Connection],
        metrics: StageMetrics,
        progress: Progress,
    ) -> None:
        self._batch_size = settings.sink_batch
        self._connect = connect
        self._connection: Connection | None = None
        self._metrics = metrics
        self._ages = SINK_EVENT_AGE.register(metrics.registry)
        self._removal_ages = SINK_REMOVAL_AGE.register(metrics.registry)
        self._progress = progress
        self._positions: dict[Partition, int] = {}
        self._expired = ExpiredUnread(lambda at, count: note_expired(metrics, at, count))
        self._dead_letter_topic = topic_name(settings, DEAD_LETTER)
        topics = [topic_name(settings, SCORED), self._dead_letter_topic]
        self._topic_ids = find_topic_ids(AdminClient(kafka_config(settings, "murmur-sink")), topics)
        self._transaction = SinkTransaction(self._topic_ids)
        self._group_lag = GroupLag(settings, group=group_name(settings, SINK_GROUP), topics=topics)
        self._publisher = ConfirmingPublisher(settings, "murmur-sink")
        self._dead_letters = DeadLetterWriter(self._publisher, self._dead_letter_topic)
        self._consumer = CommittingConsumer(
            settings,
            group=group_name(settings, SINK_GROUP),
            topics=topics,
            client_id="murmur-sink",
            start_offsets=self._start_offsets,
        )
        self._kafka_offsets = KafkaOffsets(self._consumer)

    def run(self, stop: threading.Event) -> None:
        """Store batches until told to stop; the batch in hand is finished and committed."""
        finished = threading.Event()
        LagWatch(
            self._group_lag,
            assigned=lambda: self._consumer.assigned,
            progress=self._progress,
            expired=self._expired,
        ).start(finished)
        try:
            while not stop.is_set():
                self._step()
        finally:
            finished.set()
            self._consumer.close()
            if self._connection is not None:
                self._connection.close()

    def _step(self) -> None:
        messages = self._consumer.poll_batch(self._batch_size, POLL_S)
        self._note_expired(messages)
        self._progress.ready = bool(self._consumer.assigned) or self._progress.ready
        if messages:
            batch = read_batch(messages, self._dead_letter_topic)
            started_s = time.perf_counter()
            self._store(batch)
            stored_s = time.perf_counter()
            self._kafka_offsets.follow(batch.next_offsets)
            self._positions |= batch.next_offsets
            self._progress.advance()
            self._metrics.step_seconds.labels("store").observe(stored_s - started_s)
            self._kafka_offsets.commit()
            self._metrics.step_seconds.labels("commit").observe(time.perf_counter() - stored_s)
            self._metrics.batch_events.observe(len(messages))
            self._metrics.last_progress.set_to_current_time()
            stored_at = datetime.now(UTC)
            for incoming in batch.events:
                age_s = (stored_at - incoming.event.received_at).total_seconds()
                posted = isinstance(incoming.event, TweetScored)
                (self._ages if posted else self._removal_ages).observe(age_s)
        else:
            self._kafka_offsets.commit()
        self._progress.lag = self._consumer.lag(self._positions)
        self._progress.idle()
        self._metrics.lag.set(self._progress.lag)

    def _note_expired(self, messages: Sequence[Message]) -> None:
        positions = [position_of(message) for message in messages]
        self._expired.read(
            (((at.source, at.partition), at.offset) for at in positions), self._group_lag.low_of
        )

    def _store(self, batch: Batch) -> None:
        """Store a batch; what PostgreSQL refuses goes to the dead letters, and then the rest.

        The positions move with the last transaction only, and dead letters are safe before that: a
        crash in between repeats the batch.
        """
        self._bury(batch.invalid)
        try:
            self._in_transaction(batch.events, batch.letters, batch.next_offsets)
        except REFUSED:
            blamed = bisect(
                batch.events,
                lambda part: self._in_transaction(part, [], {}),
                deterministic=REFUSED,
            )
            self._bury(
                [
                    refused(incoming.message, Reason.REFUSED_BY_DATABASE, type(fault).__name__)
                    for incoming, fault in blamed
                ]
            )
            self._in_transaction([], batch.letters, batch.next_offsets)

    def _bury(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            self._dead_letters.write(letter)
        self._publisher.confirm()
        for letter in letters:
            self._metrics.dead_letters.labels(letter.reason).inc()

    def _in_transaction(
        self,
        events: Sequence[Incoming],
        letters: Sequence[Stored],
        next_offsets: Mapping[Partition, int],
    ) -> None:
        def store(connection: Connection) -> None:
            outcomes = self._transaction.store(connection, events, letters, next_offsets)
            for outcome, count in outcomes.items():
                self._metrics.events.labels(outcome).inc(count)

        self._with_connection(store)

    def _start_offsets(self, assigned: list[Partition]) -> Mapping[Partition, int]:
        found: dict[Partition, int] = {}

        def read(connection: Connection) -> None:
            with connection, connection.cursor() as cur:
                found.update(read_positions(cur, self._topic_ids, assigned))

        self._with_connection(read)
        self._positions |= found
        known = {name: at for name, at in found.items() if at >= 0}
        self._expired.assigned(known)
        # A sink that was killed before it committed leaves Kafka behind PostgreSQL.
        self._kafka_offsets.follow(known)
        return found

    def _with_connection(self, use: Callable[[Connection], None]) -> None:
        """Call `use`, waiting for PostgreSQL where it is away and repeating what may pass."""
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_pass),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            stop=tenacity.stop_after_delay(GIVE_UP_AFTER_S),
            before_sleep=self._note_outage,
            reraise=True,
        ):
            with attempt:
                if self._connection is None or self._connection.closed:
                    self._connection = self._connect()
                use(self._connection)
        self._progress.unavailable = None

    def _note_outage(self, state: tenacity.RetryCallState) -> None:
        self._progress.unavailable = "PostgreSQL"
        fault = state.outcome.exception() if state.outcome else None
        logger.warning("PostgreSQL: %s, trying again", type(fault).__name__)


def _may_pass(fault: BaseException) -> bool:
    kinds = (psycopg2.OperationalError, psycopg2.InterfaceError, PostgresUnavailable)
    return isinstance(fault, kinds) and not isinstance(fault, REFUSED)
