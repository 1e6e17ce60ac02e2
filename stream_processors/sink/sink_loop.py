"""The sink's loop: read a batch, store it, commit its offsets, again."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from schemas.events import TweetScored
from schemas.process.metric_list import SINK_EVENT_AGE, SINK_LOG_LOSSES, SINK_REMOVAL_AGE
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.transport.consumer import CommittingConsumer
from schemas.transport.dead_letters import DeadLetter, DeadLetterWriter
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.lag_watch import LagWatch, note_expired
from schemas.transport.log_proof import LastMessage, LogReader
from schemas.transport.messages import Partition
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.topic_ids import KnownTopics
from stream_processors.sink.database import Database
from stream_processors.sink.incoming import Batch, Incoming, Stored, read_batch
from stream_processors.sink.isolating import DETERMINISTIC, isolate
from stream_processors.sink.kafka_offsets import KafkaOffsets
from stream_processors.sink.start_offsets import (
    LogWentBack,
    require_same_logs,
    start_offsets,
)
from stream_processors.sink.transaction import SinkTransaction

logger = logging.getLogger(__name__)

POLL_S: Final = 0.05


class Sink:
    """Stores scored tweets and dead letters; nothing is lost, and repeats change nothing.

    Whoever makes it hands its clients in, and they are its own from then on: it subscribes the
    consumer, and closes what can be closed. `topic_ids` has the topics that the consumer reads.
    """

    def __init__(
        self,
        *,
        consumer: CommittingConsumer,
        log: LogReader,
        database: Database,
        publisher: ConfirmingPublisher,
        group_lag: GroupLag,
        topic_ids: Mapping[str, str],
        topics: KnownTopics,
        dead_letter_topic: str,
        batch_size: int,
        metrics: StageMetrics,
        progress: Progress,
    ) -> None:
        self._consumer = consumer
        self._log = log
        self._log_in_doubt = False
        self._database = database
        self._publisher = publisher
        self._group_lag = group_lag
        self._topic_ids = topic_ids
        self._topics = topics
        self._dead_letter_topic = dead_letter_topic
        self._batch_size = batch_size
        self._metrics = metrics
        self._ages = SINK_EVENT_AGE.register(metrics.registry)
        self._removal_ages = SINK_REMOVAL_AGE.register(metrics.registry)
        self._log_losses = SINK_LOG_LOSSES.register(metrics.registry)
        self._was_assigned = False
        self._progress = progress
        self._positions: dict[Partition, int] = {}
        self._expired = ExpiredUnread(lambda at, count: note_expired(metrics, at, count))
        self._transaction = SinkTransaction(topic_ids)
        self._dead_letters = DeadLetterWriter(publisher, dead_letter_topic)
        self._kafka_offsets = KafkaOffsets(consumer)

    def run(self, stop: threading.Event) -> None:
        """Store batches until told to stop; the batch in hand is finished and committed."""
        finished = threading.Event()
        LagWatch(
            self._group_lag,
            topics=self._topics,
            assigned=lambda: self._consumer.assigned,
            progress=self._progress,
            metrics=self._metrics,
            expired=self._expired,
            done=self._done,
        ).start(finished)
        try:
            self._consumer.subscribe(self._start_offsets, self._doubt_the_log)
            while not stop.is_set():
                self._step()
        finally:
            finished.set()
            self._consumer.close()
            self._log.close()
            self._database.close()

    def _step(self) -> None:
        messages = self._consumer.poll_batch(self._batch_size, POLL_S)
        self._expired.read(
            (((message.topic, message.partition), message.offset) for message in messages),
            self._group_lag.low_of,
        )
        self._progress.ready = bool(self._consumer.assigned) or self._progress.ready
        if not messages:
            self._kafka_offsets.commit()
            return
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
        for attempt in self._database.attempts():
            with attempt:
                outcomes = self._transaction.store(
                    self._database.connection(), events, letters, last_messages
                )
        for outcome, count in outcomes.items():
            self._metrics.events.labels(outcome).inc(count)

    def _start_offsets(self, assigned: list[Partition]) -> Mapping[Partition, int]:
        for attempt in self._database.attempts():
            with attempt:
                started = start_offsets(
                    self._database.connection(), self._log, self._topic_ids, assigned
                )
        self._log_losses.inc(len(started.set_back))
        if started.set_back and self._was_assigned:
            # The client takes the leader of before for older than it knows, and reads no more.
            raise LogWentBack("Kafka lost the end of its logs: a new process starts again")
        self._was_assigned = True
        found = started.offsets
        self._positions |= found
        known = {name: at for name, at in found.items() if at >= 0}
        self._expired.assigned(known)
        # A sink that was killed before it committed leaves Kafka behind PostgreSQL.
        self._kafka_offsets.follow(known)
        return found

    def _doubt_the_log(self) -> None:
        """Note that a broker was lost: the one that answers next may have another log."""
        self._log_in_doubt = True

    def _require_same_logs(self) -> None:
        """Raise `LogWentBack` where the log did: what was read may not be what comes next."""
        if not self._log_in_doubt:
            return
        self._log_in_doubt = False
        try:
            for attempt in self._database.attempts():
                with attempt:
                    require_same_logs(
                        self._database.connection(),
                        self._log,
                        self._topic_ids,
                        self._consumer.assigned,
                    )
        except KafkaUnavailable as error:
            # What is at hand was read before the broker was lost.
            self._log_in_doubt = True
            logger.warning("%s", error)

    def _done(self) -> dict[Partition, int]:
        """Return where this sink stands, by PostgreSQL, in the partitions that it has."""
        positions = self._positions
        return {at: positions[at] for at in self._consumer.assigned if at in positions}
