"""The scoring process: model, publisher, probes and the Faust worker put together."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import faust
from faust.types import TP

from model_server.scorer import Scorer, load_scorer
from schemas.observability.metrics import StageMetrics
from schemas.observability.probes import serve_probes
from schemas.observability.progress import Progress
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED, group_name, topic_name
from schemas.transport.dead_letters import DeadLetterWriter
from schemas.transport.group_lag import GroupLag, KafkaUnavailable, Partition
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.hold.following import HeldState, follow_hold
from stream_processors.hold.guard import HoldGuard
from stream_processors.language import language_detector
from stream_processors.score_step import ScoreStep
from stream_processors.topology import build_app

logger = logging.getLogger(__name__)

LAG_INTERVAL_S = 2.0


def configured_scorer(settings: Settings) -> Scorer:
    """Load the bundle that the settings name; raise `RefusedBundle` where it is not fit."""
    return load_scorer(settings.model, cache_size=settings.score_cache_size)


def run_score_worker(
    settings: Settings, probe_port: int, *, load: Callable[[Settings], Scorer] = configured_scorer
) -> None:
    """Score until a signal stops the process (exit 0) or a fault ends it (an exception).

    Raises `RefusedBundle` before anything is consumed where the model is not fit.
    """
    metrics = StageMetrics("score")
    progress = Progress(time.monotonic, settings.stall_after_s)
    scorer = load(settings)
    logger.info(
        "model loaded", extra={"model": scorer.identity.name, "sha256": scorer.identity.sha256}
    )
    publisher = ConfirmingPublisher(settings, "murmur-score")
    held = HeldState(progress, metrics)
    guard = HoldGuard(settings, clock=time.time, told=held.tell)
    step = ScoreStep(
        scorer=scorer,
        detect_language=language_detector(),
        publisher=publisher,
        scored_topic=topic_name(settings, SCORED),
        dead_letters=DeadLetterWriter(publisher, topic_name(settings, DEAD_LETTER)),
        metrics=metrics,
        now=lambda: datetime.now(UTC),
        guard=guard,
    )

    def acknowledged() -> None:
        progress.advance()
        metrics.last_progress.set_to_current_time()

    assignment: set[Partition] = set()

    def assigned(partitions: set[TP]) -> None:
        assignment.clear()
        assignment.update((tp.topic, tp.partition) for tp in partitions)
        progress.ready = True

    with ThreadPoolExecutor(1, thread_name_prefix="score") as executor:
        app = build_app(
            settings, step=step, executor=executor, acknowledged=acknowledged, assigned=assigned
        )
        stopped = threading.Event()
        watcher = threading.Thread(
            target=_watch_lag, args=(settings, assignment, progress, metrics, stopped), daemon=True
        )
        watcher.start()
        with serve_probes(
            settings.probe_host,
            probe_port,
            metrics.registry,
            health=progress.health,
            readiness=progress.readiness,
        ) as port:
            logger.info("probes at http://%s:%d", settings.probe_host, port)
            try:
                if not follow_hold(
                    guard, settings, judge=step.judge, publisher=publisher,
                    progress=progress, finished=stopped,
                ):  # fmt: skip
                    return
                faust.Worker(app, override_logging=False, quiet=True).execute_from_commandline()
            finally:
                stopped.set()


def _watch_lag(
    settings: Settings,
    assigned: set[Partition],
    progress: Progress,
    metrics: StageMetrics,
    stopped: threading.Event,
) -> None:
    """Keep the lag of this worker's own partitions; the group's own offsets cannot flatter it."""
    group_lag = GroupLag(
        settings, group=group_name(settings, SCORE_GROUP), topics=[topic_name(settings, RAW)]
    )
    while not stopped.wait(LAG_INTERVAL_S):
        try:
            lag = group_lag.read()
        except KafkaUnavailable as error:
            progress.unavailable = "Kafka"
            logger.warning("%s", error)
            continue
        if progress.unavailable is not None:
            progress.advance()
        progress.lag = sum(behind for partition, behind in lag.items() if partition in assigned)
        progress.idle()
        metrics.lag.set(progress.lag)
