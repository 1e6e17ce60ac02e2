"""The partitions of X's compliance streams, and what is done with what they bring."""

from collections.abc import Callable
from typing import Final, NamedTuple

from producers.x_account.http_adapter import XAdapter
from producers.x_api.removals import Kind
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import Ending
from producers.x_connection.reader import StreamReader
from producers.x_connection.received_line import ReceivedLine
from producers.x_connection.stall_detection import StallLimits
from schemas.process.liveness import Liveness

ALLOWED_CONNECTS: Final = 22
"""X allows 100 connects of an app in 15 minutes to each of the two streams of four partitions."""


class CompliancePartition(NamedTuple):
    """A quarter of the events about tweets, or about accounts."""

    kind: Kind
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


PARTITIONS: Final = tuple(
    CompliancePartition(kind, number) for kind in ("tweets", "users") for number in range(1, 5)
)


class PartitionConnection(StreamConnection):
    """One connection to a partition."""

    def __init__(
        self,
        partition: CompliancePartition,
        adapter: XAdapter,
        accept: Callable[[bytes], Ending | None],
        on_accepted: Callable[[], None],
    ) -> None:
        super().__init__(adapter, accept=accept, on_accepted=on_accepted)
        self._partition = partition

    def _ask(self, backfill_minutes: int | None) -> None:
        self._request(
            f"2/{self._partition.kind}/compliance/stream",
            {"partition": self._partition.number, "backfill_minutes": backfill_minutes},
        )


class PartitionReceiver:
    """Hands events to the buffer and forgets heartbeats: no gap is kept of these streams."""

    def __init__(self, buffer: LineBuffer) -> None:
        self._buffer = buffer

    def pause(self) -> Ending | None:
        """Return that nothing has room, where that is so."""
        return None if self._buffer.has_room else Ending.BUFFER_FULL

    def connection_made(self) -> None:
        """Do nothing."""

    def line_received(self, line: ReceivedLine) -> Ending | None:
        """Keep an event; return why the connection has to end where it cannot be kept."""
        kept = not line.is_post or self._buffer.put(line)
        return None if kept else Ending.BUFFER_FULL

    def connection_lost(self, why: Ending) -> None:
        """Do nothing."""


def partition_reader(
    partition: CompliancePartition,
    adapter: XAdapter,
    buffer: LineBuffer,
    *,
    silence_s: float,
    backfill_minutes: int,
    clock: Clock,
    liveness: Liveness,
) -> StreamReader:
    """Return a reader of a partition; it ends where X refuses whoever asks."""
    return StreamReader(
        str(partition),
        connect=lambda accept, on_accepted: PartitionConnection(
            partition, adapter, accept, on_accepted
        ),
        receiver=PartitionReceiver(buffer),
        patience=StallLimits(silence_s, quiet_s=0),
        clock=clock,
        liveness=liveness,
        backfill_minutes=backfill_minutes,
        allowed_connects=ALLOWED_CONNECTS,
        logs_refusal=False,
    )
