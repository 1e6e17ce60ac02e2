"""Reading topics from where PostgreSQL says: for processes that store there what they read.

Their positions move in the transaction of their rows, so only PostgreSQL decides where to go on.
Kafka's offsets follow, for those who watch the lag.
"""

import logging
import threading
from collections.abc import Callable, Mapping

from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.transport.consumer import CommittingConsumer
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.kafka_offsets import KafkaOffsets
from schemas.transport.lag_watch import LagWatch, note_expired
from schemas.transport.log_proof import LogReader
from schemas.transport.messages import ConsumedMessage, Partition
from schemas.transport.patient_postgres import Database
from schemas.transport.start_offsets import LogWentBack, require_same_logs, start_offsets
from schemas.transport.topic_ids import KnownTopics

logger = logging.getLogger(__name__)


class PositionedReader:
    """Reads batches behind the positions of `name`; for one thread.

    Whoever makes it hands in the clients, which are its own from then on: it closes the consumer
    and `log`. `topic_ids` has the topics that the consumer reads, and
    `topics` tells whether they are still those; `log_lost` is told how many
    positions were set back because Kafka had lost the end of a log.
    """

    def __init__(
        self,
        name: str,
        *,
        consumer: CommittingConsumer,
        log: LogReader,
        database: Database,
        group_lag: GroupLag,
        topic_ids: Mapping[str, str],
        topics: KnownTopics,
        log_lost: Callable[[int], None],
        metrics: StageMetrics,
        progress: Progress,
    ) -> None:
        self._name = name
        self._consumer = consumer
        self._log = log
        self._log_in_doubt = False
        self._database = database
        self._group_lag = group_lag
        self._topic_ids = topic_ids
        self._topics = topics
        self._log_lost = log_lost
        self._metrics = metrics
        self._progress = progress
        self._was_assigned = False
        self._positions: dict[Partition, int] = {}
        self._expired = ExpiredUnread(lambda at, count: note_expired(metrics, at, count))
        self._kafka_offsets = KafkaOffsets(consumer)

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions that this process now reads."""
        return self._consumer.assigned

    def start(self, finished: threading.Event) -> None:
        """Join the group, and watch the lag in a thread of its own until `finished` is set."""
        LagWatch(
            self._group_lag,
            topics=self._topics,
            assigned=lambda: self._consumer.assigned,
            progress=self._progress,
            metrics=self._metrics,
            expired=self._expired,
            done=self._done,
        ).start(finished)
        self._consumer.subscribe(self._start_offsets, self._doubt_the_log)

    def read(self, max_messages: int, timeout_s: float) -> list[ConsumedMessage]:
        """Return up to `max_messages`, waiting at most `timeout_s`.

        Raises `LogWentBack` where Kafka lost the end of a log: a new process has to start. May take
        longer at an assignment, which waits for PostgreSQL.
        """
        messages = self._consumer.poll_batch(max_messages, timeout_s)
        self._expired.read(
            (((message.topic, message.partition), message.offset) for message in messages),
            self._group_lag.low_of,
        )
        self._progress.ready = bool(self._consumer.assigned) or self._progress.ready
        if messages:
            self._require_same_logs()
        return messages

    def stored(self, next_offsets: Mapping[Partition, int]) -> None:
        """Note positions that PostgreSQL has committed; `commit` then tells Kafka."""
        self._kafka_offsets.follow(next_offsets)
        self._positions |= next_offsets

    def commit(self) -> None:
        """Let Kafka's offsets follow; what no broker takes now is committed later."""
        self._kafka_offsets.commit()

    def close(self) -> None:
        """Leave the group and close the connections to Kafka."""
        self._consumer.close()
        self._log.close()

    def _start_offsets(self, assigned: list[Partition]) -> Mapping[Partition, int]:
        for attempt in self._database.attempts():
            with attempt:
                started = start_offsets(
                    self._database.connection(), self._name, self._log, self._topic_ids, assigned
                )
        self._log_lost(len(started.set_back))
        if started.set_back and self._was_assigned:
            # The client takes the leader of before for older than it knows, and reads no more.
            raise LogWentBack("Kafka lost the end of its logs: a new process starts again")
        self._was_assigned = True
        found = started.offsets
        self._positions |= found
        known = {name: at for name, at in found.items() if at >= 0}
        self._expired.assigned(known)
        # A process that was killed before it committed leaves Kafka behind PostgreSQL.
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
                        self._name,
                        self._log,
                        self._topic_ids,
                        self._consumer.assigned,
                    )
        except KafkaUnavailable as error:
            # What is at hand was read before the broker was lost.
            self._log_in_doubt = True
            logger.warning("%s", error)

    def _done(self) -> dict[Partition, int]:
        """Return where this process stands, by PostgreSQL, in the partitions that it has."""
        positions = self._positions
        return {at: positions[at] for at in self._consumer.assigned if at in positions}
