"""What `murmur stream` does: the parts put together, and taken apart again in their order."""

import logging
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from producers.live.capture import Capture
from producers.live.coverage_store import CoverageStore
from producers.live.gaps import at_start
from producers.live.monthly_read_limit import ReadQuota
from producers.live.receiver import LiveReceiver
from producers.live.rules_at_x import RulesGauge
from producers.live.stream import LiveStream
from producers.live.telemetry import StreamTelemetry
from producers.parsing.provenance import Origin
from producers.publishing.destination import destination
from producers.rules.remote_rules import RulesAtX
from producers.x_account.client import patient, rules_client
from producers.x_account.http_adapter import XAdapter, x_adapter
from producers.x_account.requested_fields import Endpoint
from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.buffer_publisher import BufferPublisher
from producers.x_connection.clock import Clock, SystemClock
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import Ending
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.lease import Lease, LeaseWatch
from producers.x_connection.leased_process import leased
from producers.x_connection.reader import StreamReader
from producers.x_connection.reader_threads import ReaderThreads
from producers.x_connection.stall_detection import StallLimits
from schemas import locks
from schemas.codec import Reason
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.process.liveness import Liveness
from schemas.process.running_process import RunningProcess, running_process
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher

logger = logging.getLogger(__name__)

STAGE: Final = "stream"
SOURCE: Final = "x-v2"
"""What the events of the live stream say of where they come from: an archive's name for X's format,
so that its capture says the same."""

_MIB: Final = 1024 * 1024


def run_stream(
    settings: Settings,
    *,
    capture: Path | None,
    probe_port: int,
    clock: Clock | None = None,
) -> dict[str, object]:
    """Stream until a signal; return what was done, for people and programs.

    Raises `Failure` where something has to be mended first, where X refuses whoever asks (401,
    403), or where another process has taken the right to connect.
    """
    clock = clock or SystemClock()
    adapter = x_adapter(settings)
    with running_process(
        STAGE, settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        telemetry = StreamTelemetry(process.metrics, process.progress, settings.x_monthly_posts)
        telemetry.standing_by("starting")
        process.ask_readiness = telemetry.readiness
        with leased(
            settings.postgres_connection,
            process,
            lock=locks.STREAM,
            standing_by=telemetry.standing_by,
            clock=clock,
        ) as lease:
            if lease is None:
                return {"outcome": Ending.STOPPED.value}
            with closing(
                CoverageStore(partial(connect_postgres, settings.postgres_connection, STAGE))
            ) as ledger:
                return _streamed(
                    settings, process, lease, ledger, adapter, telemetry, capture, clock
                )


def _streamed(
    settings: Settings,
    process: RunningProcess,
    lease: Lease,
    ledger: CoverageStore,
    adapter: XAdapter,
    telemetry: StreamTelemetry,
    capture: Path | None,
    clock: Clock,
) -> dict[str, object]:
    stopped = process.stop.asked
    started_at = clock.now()
    stored = ledger.coverage()
    coverage, gaps = at_start(
        None if stored is None else stored.covered_until,
        Ending.KILLED.value if stored is None or not stored.ended else stored.ended,
        ledger.open_gap(),
        started_at,
    )
    spend = ReadQuota(settings.x_monthly_posts)
    # Noted at the very first start, so that a kill at once leaves a gap too.
    first_covered = coverage.covered_until if stored is None else None
    spend.stored({}, ledger.store(covered_until=first_covered, month=started_at.date()))
    inbox = LineBuffer(
        DiskBuffer(settings.spill_folder, settings.x_spill_mib * _MIB), settings.x_buffer_lines
    )
    process.progress.measure_lag(lambda: inbox.backlog)
    liveness = Liveness(
        "the reader", clock.monotonic_s, settings.stall_after_s + settings.x_silence_s
    )
    process.watch(liveness.health)
    choice = VocabularyChoice(Endpoint.FILTERED_STREAM)
    telemetry.asking(choice)
    receiver = LiveReceiver(buffer=inbox, spend=spend, coverage=coverage, gaps=gaps, clock=clock)
    reader = StreamReader(
        "the stream",
        connect=lambda accept, on_accepted: StreamConnection(
            adapter,
            accept=accept,
            on_accepted=on_accepted,
            choice=choice,
            clock=clock.monotonic_s,
            now_s=lambda: clock.now().timestamp(),
        ),
        receiver=receiver,
        patience=StallLimits(settings.x_silence_s, settings.x_quiet_s),
        clock=clock,
        liveness=liveness,
        backfill_minutes=settings.x_backfill_minutes,
    )
    at_x = RulesAtX(rules_client(x_adapter(settings)), patient(process.finished.wait))
    RulesGauge(telemetry.metrics.registry, lambda: len(at_x.listed())).follow(process.finished)
    stream = LiveStream(
        status=reader.status,
        receiver=receiver,
        buffer=inbox,
        spend=spend,
        ledger=ledger,
        origin=Origin(
            run=LIVE,
            run_started_at=started_at,
            source=SOURCE,
            content=f"stream:{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        ),
        choice=choice,
        capture=None if capture is None else Capture(capture),
        telemetry=telemetry,
        clock=clock,
    )
    publishing = BufferPublisher(
        stream,
        buffer=inbox,
        make_publisher=partial(ConfirmingPublisher, settings.kafka_connection, "murmur-stream"),
        to=destination(settings.names, LIVE, STAGE),
        metrics=telemetry.metrics,
        progress=telemetry.progress,
        clock=clock,
    )
    threads = ReaderThreads([reader])
    may_go_on = LeaseWatch(lease, stopped, threads.alive, clock.monotonic_s)
    threads.start()
    try:
        publishing.run(may_go_on)
    finally:
        threads.stop()
        stream.finish(Ending.STOPPED.value, all_kept=_kept(publishing))
        if stored is None and reader.refusal is not None and not reader.status.accepted:
            # It was never connected: there is nothing that it could have missed.
            ledger.forget()
    if reader.refusal is not None and not stopped():
        raise Failure(f"X refuses the stream with {reader.refusal.status}: {reader.refusal.reason}")
    if may_go_on.lost:
        raise Failure("another process has taken over the connection to X: this one ends")
    if not stopped():
        raise Failure("the reader ended with an error, see the log: start the stream again")
    return {
        "outcome": Ending.STOPPED.value,
        "seconds": round((datetime.now(UTC) - started_at).total_seconds(), 3),
        "connects": reader.status.connects,
        "lines": reader.status.lines,
        "posts": reader.status.posts,
        "published": dict(
            sorted(
                (f"dead-letter {outcome}" if isinstance(outcome, Reason) else outcome, count)
                for outcome, count in publishing.published.items()
            )
        ),
        "endings": dict(sorted(reader.status.endings.items())),
    }


def _kept(publishing: BufferPublisher) -> bool:
    """Publish what has arrived, or keep it on the disk; False where neither could be done."""
    try:
        publishing.finish()
    except OSError as error:
        logger.error("what was not published is lost to a gap: %s", error.strerror)  # noqa: TRY400
        return False
    return True
