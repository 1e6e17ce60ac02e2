"""What `murmur compliance stream` does: eight connections, one publisher, one holder."""

import threading
import time
from typing import Final

from producers.compliance.partitions import PARTITIONS, PartitionReader
from producers.compliance.publishing import RemovalPublishing
from producers.compliance.removal_writer import RemovalWriter
from producers.compliance.telemetry import ComplianceTelemetry
from producers.x_account.http_adapter import x_adapter
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock, SystemClock
from producers.x_connection.connection_end import ConnectionEnd
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.lease import LeaseWatch
from producers.x_connection.leased_process import holding
from schemas import locks
from schemas.failures import Failure
from schemas.process.stop_signals import StopSignals
from schemas.settings import Settings
from schemas.transport.publisher import ConfirmingPublisher

_NO_ACCESS: Final = (
    "X says that the account has no access to the compliance streams (they are for enterprise"
    " accounts): `murmur compliance run`, once a day, does without them"
)
_FORBIDDEN: Final = 403
_JOIN_S: Final = 0.5
_MIB: Final = 1024 * 1024


def run_compliance_stream(
    settings: Settings,
    *,
    probe_port: int,
    interrupted: StopSignals,
    clock: Clock | None = None,
) -> dict[str, int]:
    """Publish what X's compliance streams ask for until a signal; return what was published.

    Raises `Failure` where X refuses whoever asks (401, 403), or where another process has taken
    over.
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
        readers = {
            partition: PartitionReader(
                partition,
                adapter,
                inbox,
                silence_s=settings.x_silence_s,
                backfill_minutes=settings.x_backfill_minutes,
                clock=clock,
            )
            for partition in PARTITIONS
        }
        telemetry.reading(readers)
        publishing = RemovalPublishing(
            inbox,
            lambda: RemovalWriter(
                ConfirmingPublisher(settings, "murmur-compliance-stream"), settings
            ),
            telemetry,
            clock,
            list(readers.values()),
        )
        threads = [
            threading.Thread(target=reader.run, name=str(partition), daemon=True)
            for partition, reader in readers.items()
        ]
        may_go_on = LeaseWatch(
            lease,
            interrupted.asked,
            lambda: all(thread.is_alive() for thread in threads),
            clock.monotonic_s,
        )
        for thread in threads:
            thread.start()
        try:
            publishing.run(may_go_on)
        finally:
            _stop(list(readers.values()), threads)
            publishing.finish()
        for refusal in [reader.refusal for reader in readers.values() if reader.refusal]:
            raise Failure(_refused(refusal))
        if may_go_on.lost:
            raise Failure("another process has taken the compliance streams over: this one ends")
        if not interrupted.asked():
            raise Failure("a reader ended by a fault, which the log shows: start it again")
        return {str(outcome): count for outcome, count in sorted(publishing.published.items())}


def _refused(refusal: ConnectionEnd) -> str:
    if refusal.status != _FORBIDDEN:
        return f"X refuses the compliance streams with {refusal.status}: {refusal.reason}"
    return f"{_NO_ACCESS} (X says: {refusal.said})" if refusal.said else _NO_ACCESS


def _stop(readers: list[PartitionReader], threads: list[threading.Thread]) -> None:
    for reader in readers:
        reader.stop()
    give_up_at_s = time.monotonic() + _JOIN_S
    for thread in threads:
        thread.join(max(0.0, give_up_at_s - time.monotonic()))
