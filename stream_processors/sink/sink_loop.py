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
from schemas.transport.group_lag import GroupLag
from schemas.transport.log_proof import LastMessage, LogReader
from schemas.transport.messages import Partition
from schemas.transport.patient_postgres import Database
from schemas.transport.positioned_reader import PositionedReader
from schemas.transport.positions import SINK
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.topic_ids import KnownTopics
from schemas.transport.trace_context import sampled_trace
from stream_processors.sink.incoming import Batch, Incoming, Stored, read_batch
from stream_processors.sink.isolating import DETERMINISTIC, isolate
from stream_processors.sink.transaction import SinkTransaction
from stream_processors.sink.tweet_metrics import TweetMetrics

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
        self._reader = PositionedReader(
            SINK,
            consumer=consumer,
            log=log,
            database=database,
            group_lag=group_lag,
            topic_ids=topic_ids,
            topics=topics,
            log_lost=SINK_LOG_LOSSES.register(metrics.registry).inc,
            metrics=metrics,
            progress=progress,
        )
        self._database = database
        self._publisher = publisher
        self._dead_letter_topic = dead_letter_topic
        self._batch_size = batch_size
        self._metrics = metrics
        self._ages = SINK_EVENT_AGE.register(metrics.registry)
        self._removal_ages = SINK_REMOVAL_AGE.register(metrics.registry)
        self._progress = progress
        self._transaction = SinkTransaction(topic_ids, TweetMetrics(metrics.registry).count)
        self._dead_letters = DeadLetterWriter(publisher, dead_letter_topic)

    def run(self, stop: threading.Event) -> None:
        """Store batches until told to stop; the batch in hand is finished and committed."""
        finished = threading.Event()
        try:
            self._reader.start(finished)
            while not stop.is_set():
                self._step()
        finally:
            finished.set()
            self._reader.close()
            self._database.close()

    def _step(self) -> None:
        messages = self._reader.read(self._batch_size, POLL_S)
        if not messages:
            self._reader.commit()
            return
        batch = read_batch(messages, self._dead_letter_topic)
        started_s = time.perf_counter()
        self._store(batch)
        stored_s = time.perf_counter()
        self._reader.stored(batch.next_offsets)
        self._progress.advance()
        self._metrics.step_seconds.labels("store").observe(stored_s - started_s)
        self._reader.commit()
        self._metrics.step_seconds.labels("commit").observe(time.perf_counter() - stored_s)
        self._metrics.passed(len(messages), len(messages) - len(batch.invalid))
        self._metrics.batch_events.observe(len(messages))
        self._metrics.last_progress.set_to_current_time()
        stored_at = datetime.now(UTC)
        for incoming in batch.events:
            age_s = (stored_at - incoming.event.received_at).total_seconds()
            posted = isinstance(incoming.event, TweetScored)
            (self._ages if posted else self._removal_ages).observe(age_s)
            trace_id = sampled_trace(incoming.message.headers)
            if trace_id is not None:
                logger.info(
                    "a traced event is stored",
                    extra={
                        "trace_id": trace_id,
                        "topic": incoming.message.topic,
                        "partition": incoming.message.partition,
                        "offset": incoming.message.offset,
                    },
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
        for attempt in self._database.attempts():
            with attempt:
                outcomes = self._transaction.store(
                    self._database.connection(), events, letters, last_messages
                )
        for outcome, count in outcomes.items():
            self._metrics.events.labels(outcome).inc(count)
