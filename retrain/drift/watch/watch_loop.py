"""The loop of the watch: read a batch, count it, judge what is complete, publish alarms, again."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from retrain.drift.alarm_outbox import publish_waiting
from retrain.drift.alarms.metrics import AlarmMetrics
from retrain.drift.watch.close_windows import Closed
from retrain.drift.watch.idle_runs import Drain, Reach
from retrain.drift.watch.stored_figures import StoredFigures
from retrain.drift.watch.watch_batch import read_watch_batch
from retrain.drift.watch.watch_transaction import WatchTransaction
from retrain.drift.watch.word_pieces import PieceCounter
from schemas.process.metric_list import WATCH_RULES_LEFT_OUT, WATCH_WINDOWS
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.setting_views import WatchLimits
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.patient_postgres import Database
from schemas.transport.positioned_reader import PositionedReader
from schemas.transport.publisher import ConfirmingPublisher, DeliveryFailed

logger = logging.getLogger(__name__)

GATHER_S: Final = 1.0
"""For this long messages are gathered: a window is an hour, and a transaction is dear."""

_ANSWER_S: Final = 2.0
_PUBLISH_EVERY_S: Final = 30.0


class Watch:
    """Counts scored tweets and raises alarms; what is counted is counted once.

    Whoever makes it hands its clients in, and they are its own from then on. `scoring` and
    `watching` tell the lag of the two groups.
    """

    def __init__(
        self,
        *,
        reader: PositionedReader,
        database: Database,
        publisher: ConfirmingPublisher,
        alarm_topic: str,
        scoring: GroupLag,
        watching: GroupLag,
        transaction: WatchTransaction,
        pieces_of: Callable[[str], PieceCounter | None],
        limits: WatchLimits,
        metrics: StageMetrics,
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._database = database
        self._publisher = publisher
        self._alarm_topic = alarm_topic
        self._scoring = scoring
        self._watching = watching
        self._transaction = transaction
        self._pieces_of = pieces_of
        self._limits = limits
        self._metrics = metrics
        self._progress = progress
        self._clock = clock
        self._alarms = AlarmMetrics(metrics.registry)
        self._figures = StoredFigures(metrics.registry)
        self._windows = WATCH_WINDOWS.register(metrics.registry)
        self._rules_left_out = WATCH_RULES_LEFT_OUT.register(metrics.registry)
        self._drain = Drain()
        self._looked_s = clock()
        self._published_s: float | None = None

    def run(self, stop: threading.Event) -> None:
        """Count batches until told to stop; the batch in hand is finished and committed."""
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
        messages = self._reader.read(self._limits.batch, GATHER_S)
        if messages:
            batch = read_watch_batch(messages, self._pieces_of)
            started_s = time.perf_counter()
            for attempt in self._database.attempts():
                with attempt:
                    outcome = self._transaction.store(self._database.connection(), batch)
            stored_s = time.perf_counter()
            self._reader.stored(batch.next_offsets)
            self._progress.advance()
            self._metrics.step_seconds.labels("store").observe(stored_s - started_s)
            self._metrics.passed(len(messages), len(messages))
            self._metrics.batch_events.observe(len(messages))
            self._metrics.last_progress.set_to_current_time()
            for name, count in outcome.events.items():
                self._metrics.events.labels(name).inc(count)
            self._rules_left_out.inc(outcome.rules_left_out)
            self._note(outcome.closed)
        self._reader.commit()
        self._look_at_idle_runs()
        self._publish()

    def _look_at_idle_runs(self) -> None:
        now_s = self._clock()
        if now_s - self._looked_s < self._limits.idle_s / 3:
            return
        self._looked_s = now_s
        connection = self._database.connection
        for attempt in self._database.attempts():
            with attempt:
                waiting = self._transaction.idle_runs(connection(), self._limits.idle_s)
        if not waiting:
            return
        try:
            raw, scored = _reach(self._scoring), _reach(self._watching)
        except KafkaUnavailable:
            return
        drained_s = self._drain.look(now_s, raw, scored)
        if drained_s is None:
            return
        idle_s = self._limits.idle_s + self._clock() - drained_s
        for attempt in self._database.attempts():
            with attempt:
                closed = self._transaction.close_idle(connection(), idle_s)
        self._note(closed)

    def _note(self, closed: Closed) -> None:
        self._windows.inc(closed.windows)
        if closed.alarms:
            self._published_s = None

    def _publish(self) -> None:
        """Publish what waits: at the start, after alarms, and what Kafka did not take before."""
        now_s = self._clock()
        if self._published_s is not None and now_s - self._published_s < _PUBLISH_EVERY_S:
            return
        self._published_s = now_s
        for attempt in self._database.attempts():
            with attempt:
                connection = self._database.connection()
                with connection, connection.cursor() as cur:
                    self._figures.read(cur)
        try:
            for attempt in self._database.attempts():
                with attempt:
                    publish_waiting(
                        self._database.connection(),
                        self._publisher,
                        topic=self._alarm_topic,
                        metrics=self._alarms,
                    )
        except DeliveryFailed as error:
            logger.warning("alarms wait in PostgreSQL until Kafka takes them: %s", error)


def _reach(group_lag: GroupLag) -> Reach:
    standings = group_lag.standings(_ANSWER_S)
    behind = group_lag.behind(standings, timeout_s=_ANSWER_S)
    reached = {partition: end - behind[partition] for partition, end in standings.high.items()}
    return Reach(reached, standings.high)
