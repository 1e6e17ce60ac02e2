"""The sink process: read a batch, store it, commit its offsets, again."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import psycopg2
import tenacity
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient
from prometheus_client import Histogram

from schemas.events import TweetScored
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, SCORED, SINK_GROUP, group_name, topic_name
from schemas.transport.consumer import CommittingConsumer
from schemas.transport.dead_letters import DeadLetter, DeadLetterWriter
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.kafka_config import kafka_config
from schemas.transport.lag_watch import LagWatch, note_expired
from schemas.transport.log_proof import LastMessage, LogReader
from schemas.transport.postgres import Connection, PostgresUnavailable
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.topic_ids import find_topic_ids
from stream_processors.sink.incoming import (
    Batch,
    Incoming,
    Partition,
    Stored,
    position_of,
    read_batch,
)
from stream_processors.sink.isolating import DETERMINISTIC, isolate
from stream_processors.sink.kafka_offsets import KafkaOffsets
from stream_processors.sink.start_offsets import (
    LogWentBack,
    log_losses,
    require_same_logs,
    start_offsets,
)
from stream_processors.sink.transaction import SinkTransaction

logger = logging.getLogger(__name__)

POLL_S = 0.05
GIVE_UP_AFTER_S = 240
"""How long PostgreSQL may be away before the process ends and its supervisor starts it anew: less
than the five minutes after which Kafka takes the partitions from a consumer that does not poll."""

AGES_S = (*(step / 20 for step in range(1, 21)), 1.5, 2, 3, 5, 10, 30, 60, 300, 3600)
"""Fine where the promise lies (half a second at half load), coarse beyond."""


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
        self._ages = Histogram(
            "murmur_sink_event_age_seconds",
            "From the receipt of a tweet to its commit in PostgreSQL",
            buckets=AGES_S,
            registry=metrics.registry,
        )
        self._removal_ages = Histogram(
            "murmur_sink_removal_age_seconds",
            "From the receipt of a deletion to its commit in PostgreSQL",
            buckets=AGES_S,
            registry=metrics.registry,
        )
        self._log_losses = log_losses(metrics.registry)
        self._log_in_doubt = False
        self._was_assigned = False
        self._progress = progress
        self._positions: dict[Partition, int] = {}
        self._expired = ExpiredUnread(lambda at, count: note_expired(metrics, at, count))
        self._dead_letter_topic = topic_name(settings, DEAD_LETTER)
        topics = [topic_name(settings, SCORED), self._dead_letter_topic]
        self._topic_ids = find_topic_ids(AdminClient(kafka_config(settings, "murmur-sink")), topics)
        self._transaction = SinkTransaction(self._topic_ids)
        self._log = LogReader(settings, timeout_s=10)
        self._group_lag = GroupLag(settings, group=group_name(settings, SINK_GROUP), topics=topics)
        self._publisher = ConfirmingPublisher(settings, "murmur-sink")
        self._dead_letters = DeadLetterWriter(self._publisher, self._dead_letter_topic)
        self._consumer = CommittingConsumer(
            settings,
            group=group_name(settings, SINK_GROUP),
            topics=topics,
            client_id="murmur-sink",
            start_offsets=self._start_offsets,
            on_trouble=self._doubt_the_log,
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
            self._log.close()
            if self._connection is not None:
                self._connection.close()

    def _step(self) -> None:
        messages = self._consumer.poll_batch(self._batch_size, POLL_S)
        self._note_expired(messages)
        self._progress.ready = bool(self._consumer.assigned) or self._progress.ready
        if messages:
            self._require_same_logs()
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
        """Store a batch; what can never be stored goes to the dead letters, and then the rest.

        The positions move with the last transaction only, and dead letters are safe before that: a
        crash in between repeats the batch.
        """
        self._bury(batch.invalid)
        try:
            self._in_transaction(batch.events, batch.letters, batch.last_messages)
        except DETERMINISTIC:
            isolated = isolate(
                batch.events,
                batch.letters,
                lambda events, letters: self._in_transaction(events, letters, {}),
            )
            self._bury(isolated.refused)
            self._in_transaction([], isolated.undescribed, batch.last_messages)

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
        last_messages: Mapping[Partition, LastMessage],
    ) -> None:
        def store(connection: Connection) -> None:
            outcomes = self._transaction.store(connection, events, letters, last_messages)
            for outcome, count in outcomes.items():
                self._metrics.events.labels(outcome).inc(count)

        self._with_connection(store)

    def _start_offsets(self, assigned: list[Partition]) -> Mapping[Partition, int]:
        found: dict[Partition, int] = {}

        def read(connection: Connection) -> None:
            started = start_offsets(connection, self._log, self._topic_ids, assigned)
            self._log_losses.inc(len(started.set_back))
            if started.set_back and self._was_assigned:
                # The client takes the leader of before for older than it knows, and reads no more.
                raise LogWentBack("Kafka lost the end of its logs: a new process begins anew")
            self._was_assigned = True
            found.update(started.offsets)

        self._with_connection(read)
        self._positions |= found
        known = {name: at for name, at in found.items() if at >= 0}
        self._expired.assigned(known)
        # A sink that was killed before it committed leaves Kafka behind PostgreSQL.
        self._kafka_offsets.follow(known)
        return found

    def _doubt_the_log(self) -> None:
        """A broker was lost: the one that answers next may have another log."""
        self._log_in_doubt = True

    def _require_same_logs(self) -> None:
        """End the process where the log went back: what was read may not be what comes next."""
        if not self._log_in_doubt:
            return
        self._log_in_doubt = False
        try:
            self._with_connection(
                lambda connection: require_same_logs(
                    connection, self._log, self._topic_ids, self._consumer.assigned
                )
            )
        except KafkaUnavailable as error:
            # What is at hand was read before the broker was lost.
            self._log_in_doubt = True
            logger.warning("%s", error)

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
    return isinstance(fault, kinds) and not isinstance(fault, DETERMINISTIC)
