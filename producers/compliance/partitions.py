"""One partition of X's compliance streams: connected, and connected again as X allows."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from producers.compliance.results import Kind
from producers.x_account.http_adapter import XAdapter
from producers.x_connection.backoff import Attempts, after, connecting
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import ConnectionEnd, Ending
from producers.x_connection.received_line import ReceivedLine
from producers.x_connection.stall import StallLimits, verdict

logger = logging.getLogger(__name__)

ALLOWED_CONNECTS: Final = 22
"""X allows 100 connects of an app in 15 minutes to each of the two streams of four partitions."""

_ASK_AGAIN_S: Final = 5.0


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
        accept: Callable[[bytes], bool],
        on_accepted: Callable[[], None],
    ) -> None:
        super().__init__(adapter, accept=accept, on_accepted=on_accepted)
        self._partition = partition

    def _ask(self, backfill_minutes: int | None) -> None:
        self._request(
            f"2/{self._partition.kind}/compliance/stream",
            {"partition": self._partition.number, "backfill_minutes": backfill_minutes},
        )


class PartitionReader:
    """Reads a partition into the inbox until it is stopped, or X refuses whoever asks.

    `refusal` says how. `look` has to be called every second or so, by another thread.
    """

    def __init__(
        self,
        partition: CompliancePartition,
        adapter: XAdapter,
        inbox: LineBuffer,
        *,
        silence_s: float,
        backfill_minutes: int,
        clock: Clock,
    ) -> None:
        self._partition = partition
        self._adapter = adapter
        self._inbox = inbox
        self._patience = StallLimits(silence_s, quiet_s=0)
        self._backfill_minutes = backfill_minutes
        self._clock = clock
        self._attempts = Attempts(allowed_connects=ALLOWED_CONNECTS)
        self._stop = threading.Event()
        self._connection: PartitionConnection | None = None
        self._last_line_s = 0.0
        self.connected = False
        self.refusal: ConnectionEnd | None = None
        self.why_not = "starting"
        self.endings: Counter[str] = Counter()

    def run(self) -> None:
        """Connect, receive, wait, and again."""
        while not self._stop.is_set():
            if not self._inbox.has_room:
                self.why_not = Ending.BUFFER_FULL.value
                self._clock.wait(self._stop, _ASK_AGAIN_S)
                continue
            outcome = self._receive()
            if outcome.is_final:
                self.refusal = outcome
                # Why, is said once for all partitions, by who ends for it.
                logger.info("X refuses %s", self._partition)
                return
            self._attempts, wait_s = after(self._attempts, outcome, self._clock.monotonic_s())
            if not self._stop.is_set():
                logger.warning(
                    "no connection to %s: %s",
                    self._partition,
                    outcome.told,
                    extra={"status": outcome.status, "next_attempt_in_s": round(wait_s, 2)},
                )
                self._clock.wait(self._stop, wait_s)

    def look(self) -> None:
        """End a connection that has fallen silent."""
        now_s, last_line_s = self._clock.monotonic_s(), self._last_line_s
        if self.connected and verdict(self._patience, now_s, last_line_s, last_line_s):
            self._give_up(Ending.SILENT)

    def stop(self) -> None:
        """End `run` from another thread, within a moment."""
        self._stop.set()
        self._give_up(Ending.STOPPED)

    def _receive(self) -> ConnectionEnd:
        self._attempts = connecting(self._attempts, self._clock.monotonic_s())
        connection = PartitionConnection(
            self._partition, self._adapter, self._accept, self._accepted
        )
        self._connection = connection
        if self._stop.is_set():
            connection.give_up(Ending.STOPPED)
        outcome = connection.stream(self._backfill_minutes)
        self._connection, self.connected = None, False
        self.why_not = outcome.told
        self.endings[outcome.ending.value] += 1
        return outcome

    def _accepted(self) -> None:
        self._last_line_s = self._clock.monotonic_s()
        self.connected, self.why_not = True, ""
        logger.info("connected to %s", self._partition)

    def _accept(self, raw: bytes) -> bool:
        self._last_line_s = self._clock.monotonic_s()
        line = ReceivedLine(self._clock.now(), raw)
        return not line.is_post or self._inbox.put(line)

    def _give_up(self, why: Ending) -> None:
        connection = self._connection
        if connection is not None:
            connection.give_up(why)
