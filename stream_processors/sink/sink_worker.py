"""The sink process: its clients, the sink and the refresher put together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from confluent_kafka.admin import AdminClient

from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.process.running_process import running_process
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, SCORED, SINK_GROUP
from schemas.transport.cache import connect_redis
from schemas.transport.consumer import CommittingConsumer
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.log_proof import LogReader
from schemas.transport.patient_postgres import Database
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.topic_ids import KnownTopics, find_topic_ids
from stream_processors.aggregates.refresher import Refresher
from stream_processors.sink.sink_loop import Sink

_CLIENT_ID = "murmur-sink"
_PROOF_TIMEOUT_S = 10.0


def make_sink(
    settings: Settings,
    *,
    connect: Callable[[], Connection],
    metrics: StageMetrics,
    progress: Progress,
) -> Sink:
    """Return a sink with clients of its own; raise `Failure` where Kafka or a topic is missing."""
    kafka, names = settings.kafka_connection, settings.names
    group, dead_letter_topic = names.group(SINK_GROUP), names.topic(DEAD_LETTER)
    topics = [names.topic(SCORED), dead_letter_topic]
    topic_ids = find_topic_ids(AdminClient(kafka_config(kafka, _CLIENT_ID)), topics)
    return Sink(
        topic_ids=topic_ids,
        topics=KnownTopics(kafka, topics, topic_ids),
        consumer=CommittingConsumer(kafka, group=group, topics=topics, client_id=_CLIENT_ID),
        log=LogReader(kafka, timeout_s=_PROOF_TIMEOUT_S),
        database=Database(connect, progress),
        publisher=ConfirmingPublisher(kafka, _CLIENT_ID),
        group_lag=GroupLag(kafka, group=group, topics=topics),
        dead_letter_topic=dead_letter_topic,
        batch_size=settings.sink_batch,
        metrics=metrics,
        progress=progress,
    )


def run_sink_worker(settings: Settings, probe_port: int) -> None:
    """Sink until a signal stops the process (it returns) or a fault ends it (an exception)."""
    with running_process(
        "sink", settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        stop = process.stop
        refresher = Refresher(
            connect_postgres=lambda: connect_postgres(settings.postgres_connection, "refresher"),
            connect_redis=lambda: connect_redis(settings.redis_connection),
            settings=settings,
            clock=lambda: datetime.now(UTC),
            registry=process.metrics.registry,
        )
        sink = make_sink(
            settings,
            connect=lambda: connect_postgres(settings.postgres_connection, "sink"),
            metrics=process.metrics,
            progress=process.progress,
        )
        # Without its refresher the process would look well and its figures grow old.
        refreshing = process.run_beside("refresher", lambda _finished: refresher.run(stop.event))
        try:
            # Not in this thread: Python handles signals here, and not while libpq or librdkafka
            # hangs in it.
            with ThreadPoolExecutor(1, thread_name_prefix="sink") as executor:
                executor.submit(sink.run, stop.event).result()
        finally:
            stop.ask()
            refreshing.join(timeout=10)
