"""The topology: tweets.raw → clean, score → tweets.scored, or → tweets.dead-letter."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeAlias, cast

import faust
from faust.types import TP, EventT, StreamT
from mode import CrashingSupervisor

from schemas.private_files import make_private_folder
from schemas.setting_views import Cluster, KafkaConnection, WindowLimits
from schemas.topics import RAW, SCORE_GROUP
from schemas.transport.kafka_config import METADATA_MAX_AGE_MS
from schemas.transport.messages import ConsumedMessage, from_faust
from stream_processors.scoring.faust_consumer import ScoringApp
from stream_processors.scoring.microbatches import Microbatches

Step: TypeAlias = Callable[[Sequence[ConsumedMessage]], None]
"""Scores a window and returns once all that it published has been acknowledged."""


def build_app(
    cluster: Cluster,
    limits: WindowLimits,
    *,
    data_folder: Path,
    step: Step,
    executor: Executor,
    acknowledged: Callable[[], None],
    assigned: Callable[[set[TP]], None],
    may_commit: Callable[[], bool | None],
    topic_id: Callable[[str], str],
) -> faust.App:
    """Return the Faust application of the scoring process; nothing is connected yet.

    Raw bytes come in and are decoded by `step`, which never raises on malformed ones: a typed topic
    stalls for ever at its first malformed message. A window's offsets are acknowledged in order and
    only when everything that was published for it is safe; if `step` raises, nothing is, the
    process ends, and whoever took over gets the window again. `may_commit` is asked before each
    commit, and `topic_id` names the topic that is meant, see `CommittedMessages`. Faust makes empty
    folders for tables in `data_folder`, which is made where it is missing.
    """
    app = ScoringApp(
        cluster.names.group(SCORE_GROUP),
        broker=[f"kafka://{server}" for server in cluster.kafka.servers.split(",")],
        broker_credentials=_credentials(cluster.kafka),
        broker_commit_interval=1,
        broker_max_poll_records=500,
        # Without new messages for this long aiokafka would leave the group, and Faust not rejoin.
        broker_max_poll_interval=24 * 3600,
        # A killed worker's partitions stand still for this long.
        broker_session_timeout=10,
        broker_heartbeat_interval=3,
        broker_rebalance_timeout=60,
        broker_request_timeout=90,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=METADATA_MAX_AGE_MS,
        stream_buffer_maxsize=8 * limits.most_tweets,
        stream_wait_empty=True,
        # It makes empty folders for tables that there are none of; by default in the current one.
        datadir=make_private_folder(data_folder),
        store="memory://",
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        # Faust would let BROKER_URL and the like of the environment win over all of this.
        env_prefix="MURMUR_FAUST",
        worker_redirect_stdouts=False,
    )
    app.may_commit = may_commit
    app.topic_id = topic_id
    raw = app.topic(
        cluster.names.topic(RAW),
        key_type=bytes,
        key_serializer="raw",
        value_type=bytes,
        value_serializer="raw",
    )

    async def score(stream: StreamT[Any]) -> None:
        loop = asyncio.get_running_loop()

        async def score_and_acknowledge(events: Sequence[EventT[bytes]]) -> None:
            window = [from_faust(event.message) for event in events]
            await loop.run_in_executor(executor, step, window)
            for event in events:
                await stream.ack(event)
            acknowledged()

        async with asyncio.TaskGroup() as tasks:
            windows = Microbatches(tasks, score_and_acknowledge, most_items=limits.most_tweets)
            await windows.take_in(
                cast("faust.Stream[Any]", stream).noack_take(limits.most_tweets, limits.gather_s)
            )

    app.agent(raw, name="score", concurrency=1, supervisor_strategy=CrashingSupervisor)(score)

    async def on_assigned(_app: faust.App, partitions: set[TP], **_: object) -> None:
        # It asks the brokers, and the loop has heartbeats and signals to see to.
        await asyncio.get_running_loop().run_in_executor(None, assigned, partitions)

    app.on_partitions_assigned.connect(cast("Any", on_assigned), weak=False)
    return app


def _credentials(kafka: KafkaConnection) -> faust.SASLCredentials | faust.SSLCredentials | None:
    context = None
    if kafka.security_protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=kafka.ssl_ca_file)
        if kafka.ssl_certificate_file is not None:
            context.load_cert_chain(kafka.ssl_certificate_file, kafka.ssl_key_file)
    if kafka.security_protocol.startswith("SASL_"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context is not None else None
