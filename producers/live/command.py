"""What `murmur stream` does: the parts put together, and taken apart again in their order."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from producers.live.capture import Capture
from producers.live.coverage_store import CoverageStore
from producers.live.gaps import at_start
from producers.live.read_quota import ReadQuota
from producers.live.reader import Reader
from producers.live.stream import Stream
from producers.live.telemetry import StreamTelemetry
from producers.x_account.http_adapter import XAdapter, x_adapter
from producers.x_account.requested_fields import Endpoint
from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_api.publishing import STREAM_SOURCE, destination
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock, SystemClock
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import Ending
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.lease import Lease, LeaseWatch
from producers.x_connection.leased_process import holding
from producers.x_connection.stall import StallLimits
from schemas import locks
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.process.stop_signals import StopSignals
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher

STAGE: Final = "stream"
_JOIN_S: Final = 1.0
_MIB: Final = 1024 * 1024


def run_stream(
    settings: Settings,
    *,
    capture: Path | None,
    probe_port: int,
    interrupted: StopSignals,
    clock: Clock | None = None,
) -> dict[str, object]:
    """Stream until a signal; return what was done, for people and programs.

    Raises `Failure` where something has to be mended first, where X refuses whoever asks (401,
    403), or where another process has taken the right to connect.
    """
    clock = clock or SystemClock()
    adapter = x_adapter(settings)
    metrics = StageMetrics(STAGE)
    progress = Progress(clock.monotonic_s, settings.stall_after_s)
    telemetry = StreamTelemetry(metrics, progress, settings.x_monthly_posts)
    with holding(
        settings,
        telemetry,
        lock=locks.STREAM,
        probe_port=probe_port,
        interrupted=interrupted,
        clock=clock,
    ) as lease:
        if lease is None:
            return {"outcome": Ending.STOPPED.value}
        with closing(CoverageStore(partial(connect_postgres, settings, STAGE))) as ledger:
            return _streamed(
                settings, lease, ledger, adapter, telemetry, capture, interrupted.asked, clock
            )


def _streamed(
    settings: Settings,
    lease: Lease,
    ledger: CoverageStore,
    adapter: XAdapter,
    telemetry: StreamTelemetry,
    capture: Path | None,
    stopped: Callable[[], bool],
    clock: Clock,
) -> dict[str, object]:
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
    choice = VocabularyChoice(Endpoint.FILTERED_STREAM)
    telemetry.asking(choice)
    reader = Reader(
        connect=lambda accept, on_accepted: StreamConnection(
            adapter,
            accept=accept,
            on_accepted=on_accepted,
            choice=choice,
            clock=clock.monotonic_s,
            now_s=lambda: clock.now().timestamp(),
        ),
        inbox=inbox,
        spend=spend,
        coverage=coverage,
        gaps=gaps,
        clock=clock,
        patience=StallLimits(settings.x_silence_s, settings.x_quiet_s),
        backfill_minutes=settings.x_backfill_minutes,
    )
    thread = threading.Thread(target=reader.run, name="reader", daemon=True)
    may_go_on = LeaseWatch(lease, stopped, thread.is_alive, time.monotonic)
    stream = Stream(
        reader=reader,
        inbox=inbox,
        spend=spend,
        ledger=ledger,
        make_publisher=partial(ConfirmingPublisher, settings, "murmur-stream"),
        to=destination(
            settings,
            STAGE,
            LIVE,
            STREAM_SOURCE,
            f"stream:{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            started_at,
        ),
        capture=None if capture is None else Capture(capture),
        telemetry=telemetry,
        clock=clock,
        may_go_on=may_go_on,
    )
    thread.start()
    try:
        stream.run()
    finally:
        reader.stop()
        thread.join(_JOIN_S)
        stream.finish(Ending.STOPPED.value)
        if stored is None and reader.refusal is not None and not reader.status.accepted:
            # It was never connected: there is nothing that it could have missed.
            ledger.forget()
    if reader.refusal is not None and not stopped():
        raise Failure(f"X refuses the stream with {reader.refusal.status}: {reader.refusal.reason}")
    if may_go_on.lost:
        raise Failure("another process has taken the connection to X over: this one ends")
    if not stopped():
        raise Failure("the reader ended by a fault, which the log shows: start the stream again")
    return {
        "outcome": Ending.STOPPED.value,
        "seconds": round((datetime.now(UTC) - started_at).total_seconds(), 3),
        "connects": reader.status.connects,
        "lines": reader.status.lines,
        "posts": reader.status.posts,
        "published": dict(sorted(stream.published.items())),
        "endings": dict(sorted(reader.status.endings.items())),
    }
