"""The scoring process: model, publisher, probes and the Faust worker put together."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import faust
from faust.types import TP

from model_server.scorer import Scorer, load_scorer
from schemas.private_files import make_private_folder
from schemas.process.metrics import StageMetrics
from schemas.process.probes import serve_probes
from schemas.process.progress import Progress
from schemas.process.watchdog import Watchdog, end_process, start_watchdog
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED, group_name, topic_name
from schemas.transport.dead_letters import DeadLetterWriter
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import GroupLag, KafkaUnavailable, Partition
from schemas.transport.lag_watch import LagWatch, note_expired
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker import CircuitBreaker
from stream_processors.circuit_breaker.follow import HeldState, follow_hold
from stream_processors.scoring.language import language_detector
from stream_processors.scoring.score_batch import Received, refused_for_ending_processes
from stream_processors.scoring.step import ScoreStep
from stream_processors.scoring.topology import build_app
from stream_processors.scoring.unfinished_windows import UnfinishedWindows

logger = logging.getLogger(__name__)

ASSIGNMENT_ANSWER_S = 2.0
"""Longest wait for each answer at an assignment: the group waits meanwhile."""


def configured_scorer(settings: Settings) -> Scorer:
    """Load the bundle that the settings name; raise `RefusedBundle` where it is not fit."""
    return load_scorer(settings.model, cache_size=settings.score_cache_size)


def run_score_worker(
    settings: Settings, probe_port: int, *, load: Callable[[Settings], Scorer] = configured_scorer
) -> None:
    """Score until a signal stops the process (exit 0) or a fault ends it (an exception).

    Raises `RefusedBundle` before anything is consumed where the model is not fit, and `Failure`
    where nothing can be written in the home.
    """
    # Before the folders in it: a parent would be made for everybody to read.
    make_private_folder(settings.home)
    metrics = StageMetrics("score")
    progress = Progress(time.monotonic, settings.stall_after_s)
    scorer = load(settings)
    logger.info(
        "model loaded", extra={"model": scorer.identity.name, "sha256": scorer.identity.sha256}
    )
    publisher = ConfirmingPublisher(settings, "murmur-score")
    held = HeldState(progress, metrics)
    guard = CircuitBreaker(settings, clock=time.time, told=held.tell)
    step = ScoreStep(
        scorer=scorer,
        detect_language=language_detector(),
        publisher=publisher,
        scored_topic=topic_name(settings, SCORED),
        dead_letters=DeadLetterWriter(publisher, topic_name(settings, DEAD_LETTER)),
        metrics=metrics,
        now=lambda: datetime.now(UTC),
        guard=guard,
        unfinished=UnfinishedWindows(
            settings.home / "score-windows",
            refuse=refused_for_ending_processes,
            scored=progress.advance,
        ),
    )

    group_lag = GroupLag(
        settings, group=group_name(settings, SCORE_GROUP), topics=[topic_name(settings, RAW)]
    )
    expired = ExpiredUnread(lambda partition, count: note_expired(metrics, partition, count))
    assignment: set[Partition] = set()

    def process(window: Sequence[Received]) -> None:
        positions = [message.position for message in window]
        expired.read((((at.source, at.partition), at.offset) for at in positions), group_lag.low_of)
        step(window)

    def acknowledged() -> None:
        progress.advance()
        metrics.last_progress.set_to_current_time()

    def assigned(partitions: set[TP]) -> None:
        mine = {(tp.topic, tp.partition) for tp in partitions}
        try:
            committed = group_lag.standings(ASSIGNMENT_ANSWER_S).committed
            expired.assigned({name: committed[name] for name in mine & committed.keys()})
        except KafkaUnavailable as error:
            logger.warning("what expired unread is not known: %s", error)
        assignment.clear()
        assignment.update(mine)
        progress.ready = True

    def told(lag: int) -> None:
        progress.idle()
        metrics.lag.set(lag)

    # What is loaded by now stays, and a stream makes much that lives for one window only: walking
    # all of it every 700 objects cost a tenth of what this process does beside the model.
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    finished = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="score") as executor:
        app = build_app(
            settings, step=process, executor=executor, acknowledged=acknowledged, assigned=assigned
        )
        worker = faust.Worker(app, override_logging=False, quiet=True)
        worker.spinner = None  # it writes to a terminal's cursor, also where there is no terminal
        with serve_probes(
            settings.probe_host,
            probe_port,
            metrics.registry,
            health=progress.health,
            readiness=progress.readiness,
        ) as port:
            logger.info("probes at http://%s:%d", settings.probe_host, port)
            LagWatch(
                group_lag,
                assigned=lambda: frozenset(assignment),
                progress=progress,
                expired=expired,
                told=told,
            ).start(finished)
            start_watchdog(
                Watchdog(
                    progress,
                    stopping=lambda: worker.should_stop,
                    clock=time.monotonic,
                    end=end_process,
                ),
                finished,
            )
            try:
                if follow_hold(
                    guard,
                    settings,
                    judge=step.judge,
                    publisher=publisher,
                    progress=progress,
                    finished=finished,
                ):
                    worker.execute_from_commandline()
            finally:
                finished.set()
