"""What `murmur replay` does once its arguments are understood."""

import logging
import sys
import time
from collections.abc import Sequence
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

from producers.archives.inputs import STANDARD_INPUT, Input, InterruptibleInput
from producers.formats.archive_format import FormatOptions
from producers.replay.display import ProgressDisplay, progress_bars
from producers.replay.dry_run import DryRun, survey_files
from producers.replay.file_replay import ReplayContext
from producers.replay.lag_bound import LagBound
from producers.replay.plan import ArchiveFile, plan_files
from producers.replay.playback_clock import PlaybackClock
from producers.replay.positions import ReplayPositions
from producers.replay.preparing import Prepared, prepare_files
from producers.replay.publishing import STAGE, ReplayDestination
from producers.replay.rate_limit import RateLimit
from producers.replay.replay_files import replay_files
from producers.replay.report import ReplayReport
from producers.replay.telemetry import Telemetry, WaitingNotice, Watcher
from producers.replay.time_shift import shift_of_run, shift_to
from producers.replay.times import Times
from producers.rules.matching import RuleMatcher
from schemas.failures import Failure
from schemas.process.metrics import StageMetrics
from schemas.process.probes import serve_probes
from schemas.process.progress import Progress
from schemas.process.stop_signals import StopSignals
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, group_name, topic_name
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher

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
        prepared = prepared_with_bar(request, bars, interrupted, force=request.force)
        files = prepared.files
        require_topics(settings)
        connect = partial(connect_postgres, settings, STAGE)
        positions = stack.enter_context(closing(ReplayPositions(connect, request.run)))
        names = [file.name for file in files]
        beginning = positions.begin_run(names, datetime.now(UTC))
        known = positions.read()
        shift = shift_of_run(
            run=request.run,
            asked=request.shift_to_now,
            stored=beginning.time_shift,
            begun=bool(known),
            measure=partial(_measured_shift, request, files),
        )
        if shift != beginning.time_shift and shift:
            positions.store_shift(shift)
        planned = plan_files(files, known, restart=request.restart)
        watchers: list[Watcher] = [ProgressDisplay(bars, planned, clock), WaitingNotice(clock)]
        if request.probe_port is not None:
            watchers.append(_telemetry(settings, request.probe_port, stack))
        raw_topic = topic_name(settings, RAW)
        lag = GroupLag(settings, group=group_name(settings, SCORE_GROUP), topics=[raw_topic])
        context = ReplayContext(
            to=ReplayDestination(
                publisher=ConfirmingPublisher(settings, "murmur-replay"),
                raw_topic=raw_topic,
                dead_letter_topic=topic_name(settings, DEAD_LETTER),
                run=request.run,
            ),
            positions=positions,
            run_started_at=beginning.started_at,
            times=replace(request.window, shift=shift),
            matcher=request.matcher,
            pace=RateLimit(request.rate, clock()),
            tempo=PlaybackClock(request.speed),
            bound=LagBound(request.max_lag, partial(lag.total, _LAG_TIMEOUT_S)),
            stopped=interrupted.asked,
            watchers=watchers,
            clock=clock,
            now=partial(datetime.now, UTC),
        )
        stack.enter_context(interrupted.watching())
        report = replay_files(planned, context, request.limit)
    report.passed_over, report.time_shift = prepared.passed_over, shift
    report.out_of_order = context.tempo.out_of_order
    return report


def run_dry(request: ReplayRequest, interrupted: StopSignals, console: Console) -> DryRun:
    """Look at the files and report; needs no server. Raises `Failure` as `run_replay` does."""
    with progress_bars(console) as bars:
        prepared = prepared_with_bar(request, bars, interrupted, force=True)
        reading = bars.add_task(
            "reading", total=sum(file.size_bytes for file in prepared.files), counts="", waiting=""
        )
        surveys = survey_files(
            prepared.files,
            request.window,
            partial(datetime.now, UTC),
            partial(bars.advance, reading),
        )
    return DryRun(surveys, prepared.passed_over)


def prepared_with_bar(
    request: ReplayRequest, bars: ProgressBars, interrupted: StopSignals, *, force: bool
) -> Prepared:
    """Tell the formats and hash the files, showing how far that is.

    With `force` files are not asked for a tweet among their first records.
    """
    total = sum(path.stat().st_size for path, _ in request.inputs if path != STANDARD_INPUT)
    hashing = bars.add_task("looking", total=total, counts="", waiting="")
    prepared = prepare_files(
        request.inputs,
        request.options,
        request.format_name,
        standard_input=_standard_input(interrupted),
        on_read=partial(bars.advance, hashing),
        force=force,
    )
    bars.remove_task(hashing)
    return prepared


def _standard_input(interrupted: StopSignals) -> BinaryIO:
    unbuffered = FileIO(sys.stdin.fileno(), closefd=False)
    return BufferedReader(InterruptibleInput(unbuffered, interrupted.asked), _INPUT_BUFFER_BYTES)


def _measured_shift(request: ReplayRequest, files: Sequence[ArchiveFile]) -> timedelta:
    now = datetime.now(UTC)
    return shift_to(now, files, request.window, first_only=request.speed == 1)


def require_topics(settings: Settings) -> None:
    """Raise `Failure` where Kafka does not answer or the topics of a replay are missing."""
    # Kafka's own client tells at length of every attempt; the one line below says it all.
    librdkafka = logging.getLogger("librdkafka")
    level = librdkafka.level
    librdkafka.setLevel(logging.CRITICAL)
    try:
        found = (
            AdminClient(kafka_config(settings, "murmur-replay"))
            .list_topics(timeout=_METADATA_TIMEOUT_S)
            .topics
        )
    except KafkaException as error:
        raise Failure(
            f"Kafka does not answer at {settings.kafka_servers}: start it (`murmur up`), "
            "or see MURMUR_KAFKA"
        ) from error
    finally:
        librdkafka.setLevel(level)
    missing = [
        name for topic in (RAW, DEAD_LETTER) if (name := topic_name(settings, topic)) not in found
    ]
    if missing:
        raise Failure(f"the topic {missing[0]} is missing: run `murmur init`")


def _telemetry(settings: Settings, port: int, stack: ExitStack) -> Telemetry:
    metrics = StageMetrics(STAGE)
    progress = Progress(time.monotonic, settings.stall_after_s)
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
