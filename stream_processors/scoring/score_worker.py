"""The scoring process: model, publisher, lag and the Faust worker put together."""

import gc
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import faust
from faust.types import TP

from model_server.overrides.followed_overrides import FollowedOverrides
from model_server.scorer import Scorer, load_scorer
from model_server.serving_model import ServingModel
from schemas.decisions import NamedDecision
from schemas.events import ModelIdentity
from schemas.private_files import make_private_folder
from schemas.process.running_process import RunningProcess, running_process
from schemas.process.stop_signals import StopSignals
from schemas.setting_views import ModelChoice
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORE_HOLD, SCORED
from schemas.transport.compacted_topic import load_at_start
from schemas.transport.dead_letters import DeadLetterWriter
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.lag_watch import LagWatch, note_expired
from schemas.transport.messages import ConsumedMessage, Partition
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.topic_ids import KnownTopics
from stream_processors.circuit_breaker.breaker import CircuitBreaker
from stream_processors.circuit_breaker.follow_breaker import HeldState, follow_hold
from stream_processors.circuit_breaker.recovery_probe import found_waiting
from stream_processors.scoring.faust_topology import build_app
from stream_processors.scoring.follow_decisions import DecisionsInUse
from stream_processors.scoring.language import language_detector
from stream_processors.scoring.model_metrics import ModelMetrics
from stream_processors.scoring.score_and_publish import ScoreStep
from stream_processors.scoring.score_batch import refused_for_ending_processes
from stream_processors.scoring.unfinished_windows import UnfinishedWindows

logger = logging.getLogger(__name__)

ASSIGNMENT_ANSWER_S = 2.0
"""Longest wait for each answer at an assignment: the group waits meanwhile."""


class FaustWorker(faust.Worker):
    """Faust's worker, which leaves the signals to the process and hears of them from there."""

    def __init__(self, app: faust.App, stop: StopSignals) -> None:
        super().__init__(app, override_logging=False, quiet=True)
        self._stop_signals = stop
        self.spinner = None  # it writes to a terminal's cursor, also where there is no terminal

    def install_signal_handlers(self) -> None:
        """Stop where the process was asked to, in the loop, as at a signal of its own."""
        self._stop_signals.tell(self._stop_soon)

    def _stop_soon(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._on_sigterm)


def chosen_scorer(choice: ModelChoice) -> Scorer:
    """Load the bundle that was chosen; raise `RefusedBundle` where it is not fit."""
    return load_scorer(choice.folder, cache_size=choice.cache_texts)


def run_score_worker(
    settings: Settings, probe_port: int, *, load: Callable[[ModelChoice], Scorer] = chosen_scorer
) -> None:
    """Score until a signal stops the process (exit 0) or a fault ends it (an exception).

    Raises `RefusedBundle` before anything is consumed where the model is not fit, and `Failure`
    where nothing can be written in the home.
    """
    # Before the folders in it: a parent would be made for everybody to read.
    make_private_folder(settings.home)
    scorer = load(settings.model_choice)
    logger.info(
        "model loaded", extra={"model": scorer.identity.name, "sha256": scorer.identity.sha256}
    )
    # What is loaded by now stays, and a stream makes much that lives for one window only: walking
    # all of it every 700 objects cost a tenth of what this process does beside the model.
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    with running_process(
        "score", settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        _score(settings, process, scorer)


def _learn(topics: KnownTopics, process: RunningProcess) -> None:
    """Learn which topics there are before anything is read, and wait while Kafka is away."""
    while not process.stop.asked():
        try:
            topics.made_anew()
        except KafkaUnavailable as error:
            process.progress.unavailable = "Kafka"
            logger.warning("%s", error)
        else:
            return


def _score(settings: Settings, process: RunningProcess, scorer: Scorer) -> None:
    metrics, progress = process.metrics, process.progress
    cluster, names = settings.cluster, settings.names
    hold_limits, window_limits = settings.hold_limits, settings.window_limits
    publisher = ConfirmingPublisher(cluster.kafka, "murmur-score")
    held = HeldState(progress, metrics)
    shown = ModelMetrics(metrics.registry, scorer.identity)
    model = ServingModel(cluster, settings.model_choice, scorer, swapped=shown.swapped, splits=True)
    shown.watch(model.cannot_serve_promoted)
    decisions = DecisionsInUse(cluster, lambda chosen: _tell(chosen, model.slot.state().serving))
    overrides = FollowedOverrides(settings.overrides, lambda: model.slot.serving().labels)
    guard = CircuitBreaker(cluster, hold_limits, clock=time.time, told=held.tell)
    written = (SCORED, DEAD_LETTER, SCORE_HOLD)
    topics = KnownTopics(cluster.kafka, [names.topic(topic) for topic in (RAW, *written)])
    group_lag = GroupLag(cluster.kafka, group=names.group(SCORE_GROUP), topics=[names.topic(RAW)])
    expired = ExpiredUnread(lambda partition, count: note_expired(metrics, partition, count))
    assignment: set[Partition] = set()

    def read(window: Sequence[ConsumedMessage]) -> None:
        expired.read(
            (((message.topic, message.partition), message.offset) for message in window),
            group_lag.low_of,
        )

    def acknowledged() -> None:
        progress.advance()
        metrics.last_progress.set_to_current_time()

    def assigned(partitions: set[TP]) -> None:
        mine = {(tp.topic, tp.partition) for tp in partitions}
        try:
            committed = group_lag.standings(ASSIGNMENT_ANSWER_S).committed
            expired.assigned({name: committed[name] for name in mine & committed.keys()})
        except KafkaUnavailable as error:
            logger.warning("cannot tell what expired unread: %s", error)
        assignment.clear()
        assignment.update(mine)
        progress.ready = True

    def may_commit() -> bool | None:
        try:
            return topics.are_the_same()
        except KafkaUnavailable as error:
            logger.warning("nothing is committed meanwhile: %s", error)
            return None

    step = ScoreStep(
        model=model.slot.current,
        read=read,
        detect_language=language_detector(),
        publisher=publisher,
        scored_topic=names.topic(SCORED),
        dead_letters=DeadLetterWriter(publisher, names.topic(DEAD_LETTER)),
        metrics=metrics,
        now=lambda: datetime.now(UTC),
        guard=guard,
        unfinished=UnfinishedWindows(
            settings.home / "score-windows",
            refuse=refused_for_ending_processes,
            scored=progress.advance,
        ),
        decisions=decisions.by_run,
        overrides=overrides.current,
        split=model.split_with,
    )
    LagWatch(
        group_lag,
        topics=topics,
        assigned=lambda: frozenset(assignment),
        progress=progress,
        metrics=metrics,
        expired=expired,
    ).start(process.finished)
    _learn(topics, process)
    if not model.follow(process):
        return
    if not load_at_start(decisions.topic.load, progress, process.stop.asked):
        return
    process.run_beside("decisions", decisions.topic.follow_until)
    process.run_beside("overrides", overrides.follow)
    with ThreadPoolExecutor(1, thread_name_prefix="score") as executor:
        app = build_app(
            cluster,
            window_limits,
            data_folder=settings.home / "faust",
            step=step,
            executor=executor,
            acknowledged=acknowledged,
            assigned=assigned,
            may_commit=may_commit,
            topic_id=topics.id_of,
        )
        worker = FaustWorker(app, process.stop)
        process.ends_when(lambda: worker.should_stop)
        if follow_hold(
            guard,
            hold_limits,
            look=partial(
                found_waiting,
                cluster,
                step.dead_letters_among,
                messages=hold_limits.window_messages,
                most_together=window_limits.most_tweets,
            ),
            publisher=publisher,
            process=process,
        ):
            worker.execute_from_commandline()


def _tell(chosen: NamedDecision, model: ModelIdentity) -> None:
    decision = chosen.decision
    about = {"decision": chosen.id, "run": decision.run}
    if decision.model_sha256 == model.sha256:
        logger.info("a decision is used from the next window on", extra=about)
    else:
        logger.warning("a decision is of another model and decides nothing here", extra=about)
