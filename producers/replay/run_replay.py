"""What `murmur replay` does once its arguments are understood."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BufferedReader, FileIO
from typing import BinaryIO

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.progress import Progress as ProgressBars

from producers.archives.inputs import Input, InterruptibleInput
from producers.formats.archive_format import FormatOptions
from producers.publishing.destination import destination
from producers.replay.display import ProgressDisplay, progress_bars
from producers.replay.dry_run import DryRun, survey_files
from producers.replay.file_replay import ReplayContext, replay_files
from producers.replay.inspect_files import Prepared, hash_files, prepare_files
from producers.replay.lag_bound import LagBound
from producers.replay.log_ends import KafkaLogs
from producers.replay.plan import ArchiveFile, plan_files
from producers.replay.playback_clock import PlaybackClock
from producers.replay.positions import ReplayPositions, borne_out
from producers.replay.rate_limit import RateLimit
from producers.replay.report import ReplayReport
from producers.replay.telemetry import Telemetry, WaitingNotice, Watcher
from producers.replay.time_range import Times
from producers.replay.time_shift import shift_of_run, shift_to
from producers.rules.tag_with_rules import RuleMatcher
from schemas.failures import Failure
from schemas.process.metrics import StageMetrics
from schemas.process.probes import serve_probes
from schemas.process.progress import Progress
from schemas.process.stop_signals import StopSignals
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher

STAGE = "replay"
_LAG_TIMEOUT_S = 2.0
_METADATA_TIMEOUT_S = 5.0
_INPUT_BUFFER_BYTES = 128 * 1024


@dataclass(frozen=True)
class ReplayRequest:
    """What a person asked for. `max_lag` 0 is no bound; None elsewhere is none, or the default."""

    inputs: tuple[Input, ...]
    run: str
    format_name: str | None
    options: FormatOptions
    rate: float | None
    limit: int | None
    max_lag: int
    restart: bool
    probe_port: int | None
    speed: float | None = None
    window: Times = field(default_factory=Times)
    shift_to_now: bool = False
    matcher: RuleMatcher | None = None
    force: bool = False


def run_replay(
    settings: Settings, request: ReplayRequest, interrupted: StopSignals, console: Console
) -> ReplayReport:
    """Replay the files and report; raise `Failure` where something has to be mended first."""
    clock = time.monotonic
    with ExitStack() as stack:
        bars = stack.enter_context(progress_bars(console))
        prepared = _prepared(request, interrupted, force=request.force)
        files = _hashed_with_bar(prepared.files, bars)
        require_topics(settings)
        connect = partial(connect_postgres, settings.postgres_connection, STAGE)
        positions = stack.enter_context(closing(ReplayPositions(connect, request.run)))
        names = [file.name for file in files]
        now = partial(_moved_by, positions.database_is_ahead(_host_now), _host_now)
        beginning = positions.begin_run(names, now())
        stored = positions.read()
        shift = shift_of_run(
            run=request.run,
            asked=request.shift_to_now,
            stored=beginning.time_shift,
            begun=bool(stored),
            measure=partial(_measured_shift, request, files, now),
        )
        if shift != beginning.time_shift and shift:
            positions.store_shift(shift)
        to = destination(settings.names, request.run, STAGE)
        topics = (to.raw_topic, to.dead_letter_topic)
        logs = stack.enter_context(closing(KafkaLogs(settings.kafka_connection, topics)))
        planned = plan_files(files, borne_out(stored, logs.have), restart=request.restart)
        watchers: list[Watcher] = [ProgressDisplay(bars, planned, clock), WaitingNotice(clock)]
        if request.probe_port is not None:
            watchers.append(_telemetry(settings, request.probe_port, stack))
        lag = GroupLag(
            settings.kafka_connection,
            group=settings.names.group(SCORE_GROUP),
            topics=[to.raw_topic],
        )
        context = ReplayContext(
            publisher=ConfirmingPublisher(settings.kafka_connection, "murmur-replay"),
            to=to,
            positions=positions,
            log_ends=logs.ends,
            run_started_at=beginning.started_at,
            times=replace(request.window, shift=shift),
            matcher=request.matcher,
            pace=RateLimit(request.rate, clock()),
            tempo=PlaybackClock(request.speed),
            bound=LagBound(request.max_lag, partial(lag.total, _LAG_TIMEOUT_S)),
            stopped=interrupted.asked,
            watchers=watchers,
            clock=clock,
            now=now,
        )
        stack.enter_context(interrupted.watching())
        report = replay_files(planned, context, request.limit)
    report.passed_over, report.time_shift = prepared.passed_over, shift
    report.out_of_order = context.tempo.out_of_order
    return report


def run_dry(request: ReplayRequest, interrupted: StopSignals, console: Console) -> DryRun:
    """Look at the files and report; needs no server. Raises `Failure` as `run_replay` does."""
    with progress_bars(console) as bars:
        prepared = _prepared(request, interrupted, force=True)
        reading = bars.add_task(
            "reading", total=sum(file.size_bytes for file in prepared.files), counts="", waiting=""
        )
        surveys = survey_files(
            prepared.files,
            request.window,
            _host_now,
            partial(bars.advance, reading),
        )
    return DryRun(surveys, prepared.passed_over)


def _prepared(request: ReplayRequest, interrupted: StopSignals, *, force: bool) -> Prepared:
    """Tell the formats; with `force` files are not asked for a tweet among their first records."""
    return prepare_files(
        request.inputs,
        request.options,
        request.format_name,
        standard_input=_standard_input(interrupted),
        force=force,
    )


def _hashed_with_bar(files: Sequence[ArchiveFile], bars: ProgressBars) -> list[ArchiveFile]:
    hashing = bars.add_task(
        "looking", total=sum(file.size_bytes for file in files), counts="", waiting=""
    )
    hashed = hash_files(files, partial(bars.advance, hashing))
    bars.remove_task(hashing)
    return hashed


def _standard_input(interrupted: StopSignals) -> BinaryIO:
    unbuffered = FileIO(sys.stdin.fileno(), closefd=False)
    return BufferedReader(InterruptibleInput(unbuffered, interrupted.asked), _INPUT_BUFFER_BYTES)


def _measured_shift(
    request: ReplayRequest, files: Sequence[ArchiveFile], now: Callable[[], datetime]
) -> timedelta:
    return shift_to(now(), files, request.window, first_only=request.speed == 1)


def _host_now() -> datetime:
    return datetime.now(UTC)


def _moved_by(ahead: timedelta, now: Callable[[], datetime]) -> datetime:
    return now() + ahead


def require_topics(settings: Settings) -> None:
    """Raise `Failure` where Kafka does not answer or the topics of a replay are missing."""
    # Kafka's own client tells at length of every attempt; the one line below says it all.
    librdkafka = logging.getLogger("librdkafka")
    level = librdkafka.level
    librdkafka.setLevel(logging.CRITICAL)
    try:
        found = (
            AdminClient(kafka_config(settings.kafka_connection, "murmur-replay"))
            .list_topics(timeout=_METADATA_TIMEOUT_S)
            .topics
        )
    except KafkaException as error:
        raise Failure(
            f"Kafka does not answer at {settings.kafka_servers}: start it (`murmur up`), "
            "or check MURMUR_KAFKA"
        ) from error
    finally:
        librdkafka.setLevel(level)
    missing = [
        name for topic in (RAW, DEAD_LETTER) if (name := settings.names.topic(topic)) not in found
    ]
    if missing:
        raise Failure(f"the topic {missing[0]} is missing: run `murmur init`")


def _telemetry(settings: Settings, port: int, stack: ExitStack) -> Telemetry:
    metrics = StageMetrics(STAGE)
    progress = Progress(time.monotonic, settings.stall_after_s)
    metrics.follow(progress, progress.readiness, settings.home)
    stack.enter_context(
        serve_probes(
            settings.probe_host,
            port,
            metrics.registry,
            health=progress.health,
            readiness=progress.readiness,
        )
    )
    return Telemetry(metrics, progress, time.time)
