"""The watch's process: its clients, the loop, probes and signals together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka.admin import AdminClient

from retrain.drift.alarms.webhook import WebhookSender
from retrain.drift.watch.scoring_models import scoring_models
from retrain.drift.watch.watch_loop import Watch
from retrain.drift.watch.watch_transaction import WatchTransaction
from retrain.promotion.promotions import Promotion, promotions
from schemas.process.metric_list import WATCH_LOG_LOSSES
from schemas.process.metrics import StageMetrics
from schemas.process.process_list import WATCH
from schemas.process.progress import Progress
from schemas.process.running_process import running_process
from schemas.settings import Settings
from schemas.topics import ALARMS, RAW, SCORE_GROUP, SCORED, WATCH_GROUP
from schemas.transport import positions
from schemas.transport.consumer import CommittingConsumer
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.log_proof import LogReader
from schemas.transport.patient_postgres import Database
from schemas.transport.positioned_reader import PositionedReader
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.topic_ids import KnownTopics, find_topic_ids, partition_counts

_CLIENT_ID = "murmur-watch"
_PROOF_TIMEOUT_S = 10.0
_ANSWER_S = 30.0


def make_watch(
    settings: Settings,
    *,
    connect: Callable[[], Connection],
    metrics: StageMetrics,
    progress: Progress,
) -> Watch:
    """Return a watch with clients of its own; raise `Failure` where Kafka or a topic is missing."""
    kafka, names = settings.kafka_connection, settings.names
    group, topics = names.group(WATCH_GROUP), [names.topic(SCORED)]
    admin = AdminClient(kafka_config(kafka, _CLIENT_ID))
    topic_ids = find_topic_ids(admin, topics)
    database = Database(connect, progress)
    watching = GroupLag(kafka, group=group, topics=topics)
    limits = settings.watch_limits
    models = scoring_models(settings.model_choice, lambda: _history(database))
    return Watch(
        reader=PositionedReader(
            positions.WATCH,
            consumer=CommittingConsumer(kafka, group=group, topics=topics, client_id=_CLIENT_ID),
            log=LogReader(kafka, timeout_s=_PROOF_TIMEOUT_S),
            database=database,
            group_lag=watching,
            topic_ids=topic_ids,
            topics=KnownTopics(kafka, topics, topic_ids),
            log_lost=WATCH_LOG_LOSSES.register(metrics.registry).inc,
            metrics=metrics,
            progress=progress,
        ),
        database=database,
        publisher=ConfirmingPublisher(kafka, _CLIENT_ID),
        alarm_topic=names.topic(ALARMS),
        scoring=GroupLag(kafka, group=names.group(SCORE_GROUP), topics=[names.topic(RAW)]),
        watching=watching,
        transaction=WatchTransaction(
            topic_ids, partition_counts(admin, topics, _ANSWER_S), limits, models.validation_of
        ),
        pieces_of=models.counter_of,
        limits=limits,
        metrics=metrics,
        progress=progress,
    )


def _history(database: Database) -> list[Promotion]:
    history: list[Promotion] = []
    for attempt in database.attempts():
        with attempt:
            history = promotions(database.connection())
    return history


def run_watch_worker(settings: Settings, probe_port: int) -> None:
    """Watch until a signal stops the process (it returns) or a fault ends it (an exception)."""
    webhook = settings.alarm_webhook
    sender = webhook and WebhookSender(
        webhook, lambda: connect_postgres(settings.postgres_connection, "alarm webhook")
    )
    with running_process(
        WATCH.name, settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        watch = make_watch(
            settings,
            connect=lambda: connect_postgres(settings.postgres_connection, WATCH.name),
            metrics=process.metrics,
            progress=process.progress,
        )
        if sender:
            # No part of the process's health: whoever does not answer there holds up nothing here.
            process.run_beside("webhook", sender.run)
        # Not in this thread: Python handles signals here, and not while libpq or librdkafka hangs
        # in it.
        with ThreadPoolExecutor(1, thread_name_prefix=WATCH.name) as executor:
            executor.submit(watch.run, process.stop.event).result()
