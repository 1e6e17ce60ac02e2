"""What the live stream does with a line: count it, keep it, write down what was missed."""

import threading
from datetime import datetime

from producers.live.gaps import Coverage, Gap
from producers.live.monthly_read_limit import ReadQuota
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.connection_end import Ending
from producers.x_connection.received_line import ReceivedLine


class LiveReceiver:
    """Hands lines to the buffer, heartbeats too: they say how far the stream came.

    Changes of gaps wait in `take_gaps` for whoever stores them. The reader's thread calls what
    `LineReceiver` has, another one the rest.
    """

    def __init__(
        self,
        *,
        buffer: LineBuffer,
        spend: ReadQuota,
        coverage: Coverage,
        gaps: list[Gap],
        clock: Clock,
    ) -> None:
        self._buffer = buffer
        self._spend = spend
        self._coverage = coverage
        self._clock = clock
        self._lock = threading.Lock()
        self._gaps = list(gaps)

    def pause(self) -> Ending | None:
        """Return why X must not be asked: the month's posts are read, or nothing has room."""
        if self._spend.exhausted(self._clock.now()):
            return Ending.SPEND_GUARD
        return None if self._buffer.has_room else Ending.BUFFER_FULL

    def connection_made(self) -> None:
        """Close the gap that is open."""
        with self._lock:
            self._coverage, gap = self._coverage.connected(self._clock.now())
            self._gaps += [gap] if gap is not None else []

    def line_received(self, line: ReceivedLine) -> Ending | None:
        """Keep a line; return why the connection has to end where it cannot be kept."""
        if line.is_post:
            if self._spend.exhausted(line.received_at):
                return Ending.SPEND_GUARD
            # X has sent it and may charge for it, whether there is room for it or not.
            self._spend.read(line.received_at)
        if not self._buffer.put(line):
            return Ending.BUFFER_FULL
        self._coverage = self._coverage.received(line.received_at)
        return None

    def connection_lost(self, why: Ending) -> None:
        """Open a gap, unless one is open."""
        with self._lock:
            self._coverage, gap = self._coverage.ended(why.value, self._clock.now())
            self._gaps += [gap] if gap is not None else []

    @property
    def covered_until(self) -> datetime | None:
        """When the last line came, or the connection was accepted; None before the first."""
        return self._coverage.covered_until

    def take_gaps(self) -> list[Gap]:
        """Return the changes of gaps since the last call, oldest first."""
        with self._lock:
            gaps, self._gaps = self._gaps, []
            return gaps

    def give_gaps_back(self, gaps: list[Gap]) -> None:
        """Take back changes that could not be stored."""
        with self._lock:
            self._gaps = [*gaps, *self._gaps]
