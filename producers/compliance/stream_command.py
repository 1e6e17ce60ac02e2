"""What `murmur compliance stream` does: eight connections, one publisher, one holder."""

import logging
from functools import partial
from typing import Final

from producers.compliance.partitions import PARTITIONS, partition_reader
from producers.compliance.results import STAGE
from producers.compliance.stream import ComplianceStream
from producers.compliance.telemetry import ComplianceTelemetry
from producers.publishing.destination import destination
from producers.x_account.http_adapter import x_adapter
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.buffer_publisher import BufferPublisher
from producers.x_connection.clock import Clock, SystemClock
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.lease import LeaseWatch
from producers.x_connection.leased_process import holding
from producers.x_connection.reader_threads import ReaderThreads
from schemas import locks
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.process.stop_signals import StopSignals
from schemas.settings import Settings
from schemas.transport.publisher import ConfirmingPublisher

logger = logging.getLogger(__name__)

_NO_ACCESS: Final = (
    "X says that the account has no access to the compliance streams (they are for enterprise"
    " accounts): `murmur compliance run`, once a day, does without them"
)
_MIB: Final = 1024 * 1024


def run_compliance_stream(
    settings: Settings,
    *,
    probe_port: int,
    interrupted: StopSignals,
    clock: Clock | None = None,
) -> dict[str, int]:
    """Publish what X's compliance streams ask for until a signal; return what was published.

    Raises `Failure` where the account has no access, or where another process has taken over.
    """
    clock = clock or SystemClock()
    adapter = x_adapter(settings)
    telemetry = ComplianceTelemetry(clock.monotonic_s, settings.stall_after_s)
    with holding(
        settings,
        telemetry,
        lock=locks.COMPLIANCE_STREAM,
        probe_port=probe_port,
        interrupted=interrupted,
        clock=clock,
    ) as lease:
        if lease is None:
            return {}
        folder = settings.spill_folder / "compliance"
        inbox = LineBuffer(DiskBuffer(folder, settings.x_spill_mib * _MIB), settings.x_buffer_lines)
        readers = [
            partition_reader(
                partition,
                adapter,
                inbox,
                silence_s=settings.x_silence_s,
                backfill_minutes=settings.x_backfill_minutes,
                clock=clock,
            )
            for partition in PARTITIONS
        ]
        telemetry.reading(readers)
        publishing = BufferPublisher(
            ComplianceStream(inbox, telemetry, clock.now()),
            buffer=inbox,
            make_publisher=partial(ConfirmingPublisher, settings, "murmur-compliance-stream"),
            to=destination(settings, LIVE, STAGE),
            metrics=telemetry.metrics,
            progress=telemetry.progress,
            clock=clock,
        )
        threads = ReaderThreads(readers)
        may_go_on = LeaseWatch(lease, interrupted.asked, threads.alive, clock.monotonic_s)
        threads.start()
        try:
            publishing.run(may_go_on)
        finally:
            threads.stop()
            _finish(publishing)
        if any(reader.status.forbidden for reader in readers):
            raise Failure(_NO_ACCESS)
        if may_go_on.lost:
            raise Failure("another process has taken the compliance streams over: this one ends")
        if not interrupted.asked():
            raise Failure("a reader ended by a fault, which the log shows: start it again")
        return {str(outcome): count for outcome, count in sorted(publishing.published.items())}


def _finish(publishing: BufferPublisher) -> None:
    try:
        publishing.finish()
    except OSError as error:
        logger.error("removals are lost until `murmur compliance run`: %s", error.strerror)  # noqa: TRY400
