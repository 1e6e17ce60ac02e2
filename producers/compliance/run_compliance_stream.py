"""What `murmur compliance stream` does: eight connections, one publisher, one holder."""

import logging
from functools import partial
from typing import Final

from producers.compliance.partitions import PARTITIONS, partition_reader
from producers.compliance.removal_stream import ComplianceStream
from producers.compliance.telemetry import STAGE as PROCESS
from producers.compliance.telemetry import ComplianceTelemetry
from producers.publishing.destination import destination
from producers.x_account.http_adapter import XAdapter, x_adapter
from producers.x_api.removals import STAGE
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.buffer_publisher import BufferPublisher
from producers.x_connection.clock import Clock, SystemClock
from producers.x_connection.connection_end import ConnectionEnd
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.lease import Lease, LeaseWatch
from producers.x_connection.leased_process import leased
from producers.x_connection.reader_threads import ReaderThreads
from schemas import locks
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.process.liveness import Liveness
from schemas.process.running_process import RunningProcess, running_process
from schemas.settings import Settings
from schemas.transport.publisher import ConfirmingPublisher

logger = logging.getLogger(__name__)

_NO_ACCESS: Final = (
    "X says that the account has no access to the compliance streams (they are for enterprise"
    " accounts): run `murmur compliance run` once a day instead"
)
_FORBIDDEN: Final = 403
_MIB: Final = 1024 * 1024


def run_compliance_stream(
    settings: Settings, *, probe_port: int, clock: Clock | None = None
) -> dict[str, int]:
    """Publish what X's compliance streams ask for until a signal; return what was published.

    Raises `Failure` where X refuses whoever asks (401, 403), or where another process has taken
    over.
    """
    clock = clock or SystemClock()
    adapter = x_adapter(settings)
    with running_process(
        PROCESS, settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        telemetry = ComplianceTelemetry(process.metrics, process.progress)
        telemetry.standing_by("starting")
        process.ask_readiness = telemetry.readiness
        with leased(
            settings.postgres_connection,
            process,
            lock=locks.COMPLIANCE_STREAM,
            standing_by=telemetry.standing_by,
            clock=clock,
        ) as lease:
            if lease is None:
                return {}
            return _streamed(settings, process, lease, adapter, telemetry, clock)


def _streamed(
    settings: Settings,
    process: RunningProcess,
    lease: Lease,
    adapter: XAdapter,
    telemetry: ComplianceTelemetry,
    clock: Clock,
) -> dict[str, int]:
    folder = settings.spill_folder / "compliance"
    inbox = LineBuffer(DiskBuffer(folder, settings.x_spill_mib * _MIB), settings.x_buffer_lines)
    process.progress.measure_lag(lambda: inbox.backlog)
    readers = []
    for partition in PARTITIONS:
        liveness = Liveness(
            f"the reader of {partition}",
            clock.monotonic_s,
            settings.stall_after_s + settings.x_silence_s,
        )
        process.watch(liveness.health)
        readers.append(
            partition_reader(
                partition,
                adapter,
                inbox,
                silence_s=settings.x_silence_s,
                backfill_minutes=settings.x_backfill_minutes,
                clock=clock,
                liveness=liveness,
            )
        )
    telemetry.reading(readers)
    publishing = BufferPublisher(
        ComplianceStream(inbox, telemetry, clock.now()),
        buffer=inbox,
        make_publisher=partial(
            ConfirmingPublisher, settings.kafka_connection, "murmur-compliance-stream"
        ),
        to=destination(settings.names, LIVE, STAGE),
        metrics=telemetry.metrics,
        progress=telemetry.progress,
        clock=clock,
    )
    stopped = process.stop.asked
    threads = ReaderThreads(readers)
    may_go_on = LeaseWatch(lease, stopped, threads.alive, clock.monotonic_s)
    threads.start()
    try:
        publishing.run(may_go_on)
    finally:
        threads.stop()
        _finish(publishing)
    for refusal in [reader.refusal for reader in readers if reader.refusal]:
        raise Failure(_refused(refusal))
    if may_go_on.lost:
        raise Failure("another process has taken the compliance streams over: this one ends")
    if not stopped():
        raise Failure("a reader ended by a fault, which the log shows: start it again")
    return {str(outcome): count for outcome, count in sorted(publishing.published.items())}


def _refused(refusal: ConnectionEnd) -> str:
    if refusal.status != _FORBIDDEN:
        return f"X refuses the compliance streams with {refusal.status}: {refusal.reason}"
    return f"{_NO_ACCESS} (X says: {refusal.said})" if refusal.said else _NO_ACCESS


def _finish(publishing: BufferPublisher) -> None:
    try:
        publishing.finish()
    except OSError as error:
        logger.error("removals are lost until `murmur compliance run`: %s", error.strerror)  # noqa: TRY400
