"""The shadow's process: its clients, the loop, probes and signals together."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from confluent_kafka.admin import AdminClient
from msgspec.structs import asdict

from model_server.scorer import Scorer, load_scorer
from retrain.shadow.shadow_batch import ShadowBatch, read_shadow_batch
from retrain.shadow.shadow_store import ShadowTransaction, forget_old
from schemas.process.metric_list import SHADOW_FLIPS, SHADOW_LOG_LOSSES, SHADOW_MODEL_INFO
from schemas.process.metrics import StageMetrics
from schemas.process.process_list import SHADOW
from schemas.process.progress import Progress
from schemas.process.running_process import running_process
from schemas.setting_views import Cluster, PostgresConnection, ProbeAddress, ShadowSettings
from schemas.shadow_events import encode_shadowed, shadow_headers, shadow_key
from schemas.topics import SCORED, SHADOW_GROUP
from schemas.topics import SHADOW as SHADOW_TOPIC
from schemas.transport import positions
from schemas.transport.consumer import CommittingConsumer
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.log_proof import LogReader
from schemas.transport.patient_postgres import Database
from schemas.transport.positioned_reader import PositionedReader
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.topic_ids import KnownTopics, find_topic_ids

logger = logging.getLogger(__name__)

_CLIENT_ID: Final = "murmur-shadow"
_PROOF_TIMEOUT_S: Final = 10.0
_GATHER_S: Final = 1.0
_FORGET_EVERY_S: Final = 3_600.0


class Shadow:
    """Compares batch after batch: published and confirmed, then stored, then committed.

    A batch that is interrupted is done again: its events may come twice, its rows do not.
    """

    def __init__(
        self,
        *,
        reader: PositionedReader,
        database: Database,
        publisher: ConfirmingPublisher,
        topic: str,
        challenger: Scorer,
        transaction: ShadowTransaction,
        choice: ShadowSettings,
        metrics: StageMetrics,
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._database = database
        self._publisher = publisher
        self._topic = topic
        self._challenger = challenger
        self._transaction = transaction
        self._choice = choice
        self._metrics = metrics
        self._progress = progress
        self._clock = clock
        self._forgot_s: float | None = None
        self._flips = SHADOW_FLIPS.register(metrics.registry)
        info = SHADOW_MODEL_INFO.register(metrics.registry)
        info.labels(**asdict(challenger.identity)).set(1)

    def run(self, stop: threading.Event) -> None:
        """Compare until told to stop; the batch in hand is finished and committed."""
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
        messages = self._reader.read(self._choice.batch, _GATHER_S)
        if messages:
            started_s = self._clock()
            batch = read_shadow_batch(
                messages,
                self._challenger,
                share=self._choice.share,
                now=lambda: datetime.now(UTC),
            )
            scored_s = self._clock()
            self._publish(batch)
            published_s = self._clock()
            for attempt in self._database.attempts():
                with attempt:
                    stored = self._transaction.store(self._database.connection(), batch)
            stored_s = self._clock()
            self._reader.stored(batch.next_offsets)
            self._progress.advance()
            for step, seconds in (
                ("score", scored_s - started_s),
                ("publish", published_s - scored_s),
                ("store", stored_s - published_s),
            ):
                self._metrics.step_seconds.labels(step).observe(seconds)
            self._metrics.passed(len(messages), len(batch.pairs))
            self._metrics.batch_events.observe(len(messages))
            self._metrics.last_progress.set_to_current_time()
            self._flips.inc(stored.flips)
            for name, count in stored.outcomes.items():
                self._metrics.events.labels(name).inc(count)
        self._reader.commit()
        self._forget()

    def _publish(self, batch: ShadowBatch) -> None:
        for pair in batch.pairs:
            self._publisher.publish(
                self._topic,
                key=shadow_key(pair.event),
                value=encode_shadowed(pair.event),
                headers=shadow_headers(pair.event),
            )
        self._publisher.confirm()

    def _forget(self) -> None:
        now_s = self._clock()
        if self._forgot_s is not None and now_s - self._forgot_s < _FORGET_EVERY_S:
            return
        self._forgot_s = now_s
        for attempt in self._database.attempts():
            with attempt:
                forgotten = forget_old(self._database.connection(), self._choice.kept_for)
        if forgotten:
            logger.info("old answers of the challenger were deleted", extra={"rows": forgotten})


def run_shadow_worker(
    cluster: Cluster,
    postgres: PostgresConnection,
    choice: ShadowSettings,
    *,
    probes: ProbeAddress,
    stall_after_s: float,
) -> None:
    """Compare until a signal stops the process (it returns) or a fault ends it (an exception).

    Raises `RefusedBundle` before anything is read where the challenger is not fit.
    """
    challenger = load_scorer(choice.challenger, cache_size=choice.cache_texts)
    logger.info("a challenger is compared", extra={"sha256": challenger.identity.sha256})
    group, topics = cluster.names.group(SHADOW_GROUP), [cluster.names.topic(SCORED)]
    with running_process(SHADOW.name, probes, stall_after_s=stall_after_s) as process:
        topic_ids = find_topic_ids(AdminClient(kafka_config(cluster.kafka, _CLIENT_ID)), topics)
        database = Database(lambda: connect_postgres(postgres, SHADOW.name), process.progress)
        shadow = Shadow(
            reader=PositionedReader(
                positions.SHADOW,
                consumer=CommittingConsumer(
                    cluster.kafka, group=group, topics=topics, client_id=_CLIENT_ID
                ),
                log=LogReader(cluster.kafka, timeout_s=_PROOF_TIMEOUT_S),
                database=database,
                group_lag=GroupLag(cluster.kafka, group=group, topics=topics),
                topic_ids=topic_ids,
                topics=KnownTopics(cluster.kafka, topics, topic_ids),
                log_lost=SHADOW_LOG_LOSSES.register(process.metrics.registry).inc,
                metrics=process.metrics,
                progress=process.progress,
            ),
            database=database,
            publisher=ConfirmingPublisher(cluster.kafka, _CLIENT_ID),
            topic=cluster.names.topic(SHADOW_TOPIC),
            challenger=challenger,
            transaction=ShadowTransaction(topic_ids),
            choice=choice,
            metrics=process.metrics,
            progress=process.progress,
        )
        # Not in this thread: Python handles signals here, and not while libpq or librdkafka hangs
        # in it.
        with ThreadPoolExecutor(1, thread_name_prefix=SHADOW.name) as executor:
            executor.submit(shadow.run, process.stop.event).result()
