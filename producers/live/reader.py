"""The reader: keeps one connection up, hands lines to the inbox, writes down what it missed."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from producers.live.gaps import Coverage, Gap
from producers.live.read_quota import ReadQuota
from producers.x_connection.backoff import Attempts, after, connecting
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import Clock
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import ConnectionEnd, Ending
from producers.x_connection.received_line import ReceivedLine
from producers.x_connection.stall import StallLimits, verdict

logger = logging.getLogger(__name__)

_ASK_AGAIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 1.0

_PAUSES: Final = {
    Ending.SPEND_GUARD: "MURMUR_X_MONTHLY_POSTS is reached, until the month ends or it is raised",
    Ending.BUFFER_FULL: "memory and disk are full, until Kafka has taken what waits",
}

Connect = Callable[[Callable[[bytes], bool], Callable[[], None]], StreamConnection]
"""Makes a connection that hands each line to the first and tells the second of X's answer."""


@dataclass
class ReaderStatus:
    """What the reader is doing, for probes and metrics. Written by the reader alone."""

    connected: bool = False
    why_not: str = "starting"
    connects: int = 0
    accepted: int = 0
    lines: int = 0
    posts: int = 0
    endings: dict[str, int] = field(default_factory=dict)
    next_wait_s: float = 0.0


class Reader:
    """Reads until it is stopped; whatever X, the network or the disk do, `run` goes on.

    But for one thing: where X refuses whoever asks, `run` ends, `refusal` says how, and no gap
    opens for it. Changes of gaps wait in `take_gaps` for whoever stores them.
    """

    def __init__(
        self,
        *,
        connect: Connect,
        inbox: LineBuffer,
        spend: ReadQuota,
        coverage: Coverage,
        gaps: list[Gap],
        patience: StallLimits,
        clock: Clock,
        backfill_minutes: int = 0,
    ) -> None:
        self._connect = connect
        self._inbox = inbox
        self._spend = spend
        self._coverage = coverage
        self._patience = patience
        self._clock = clock
        self._backfill_minutes = backfill_minutes
        self._attempts = Attempts()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._gaps = list(gaps)
        self._connection: StreamConnection | None = None
        self._barred = False
        self._last_line_s = self._last_post_s = 0.0
        self.status = ReaderStatus()
        self.refusal: ConnectionEnd | None = None

    def run(self) -> None:
        """Connect, receive, wait, and again, until `stop`."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        while not self._stop.is_set():
            barrier = self._barrier()
            if barrier is not None:
                if not self._barred:
                    logger.error("the stream pauses: %s", _PAUSES[barrier])
                self._barred = True
                self._without_connection(barrier, barrier.value)
                self._clock.wait(self._stop, _ASK_AGAIN_S)
                continue
            self._barred = False
            outcome = self._receive()
            self.status.endings[outcome.ending] = self.status.endings.get(outcome.ending, 0) + 1
            if outcome.is_final:
                self.refusal = outcome
                self.status.connected, self.status.why_not = False, outcome.told
                logger.error("X refuses the stream: %s", outcome.told)
                return
            self._without_connection(outcome.ending, outcome.told)
            self._attempts, wait_s = after(self._attempts, outcome, self._clock.monotonic_s())
            self.status.next_wait_s = wait_s
            if not self._stop.is_set():
                _log(outcome, wait_s)
                self._clock.wait(self._stop, wait_s)

    def stop(self) -> None:
        """End the connection and `run`, from another thread, within a moment."""
        self._stop.set()
        self._give_up(Ending.STOPPED)

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

    def _barrier(self) -> Ending | None:
        if self._spend.exhausted(self._clock.now()):
            return Ending.SPEND_GUARD
        return None if self._inbox.has_room else Ending.BUFFER_FULL

    def _receive(self) -> ConnectionEnd:
        now_s = self._clock.monotonic_s()
        self._attempts = connecting(self._attempts, now_s)
        self._last_line_s = self._last_post_s = now_s
        self.status.connects += 1
        connection = self._connect(self._accept, self._accepted)
        with self._lock:
            self._connection = connection
        if self._stop.is_set():
            connection.give_up(Ending.STOPPED)
        try:
            return connection.stream(self._backfill_minutes)
        finally:
            with self._lock:
                self._connection = None

    def _accepted(self) -> None:
        now_s = self._clock.monotonic_s()
        self._last_line_s = self._last_post_s = now_s
        with self._lock:
            self._coverage, gap = self._coverage.connected(self._clock.now())
            self._gaps += [gap] if gap is not None else []
        self.status.connected, self.status.why_not = True, ""
        self.status.accepted += 1
        logger.info("connected to the stream")

    def _accept(self, raw: bytes) -> bool:
        now = self._clock.now()
        line = ReceivedLine(now, raw)
        if line.is_post:
            if self._spend.exhausted(now):
                self._give_up(Ending.SPEND_GUARD)
                return True
            # X has sent it and may charge for it, whether there is room for it or not.
            self._spend.read(now)
        if not self._inbox.put(line):
            return False
        self._last_line_s = self._clock.monotonic_s()
        if line.is_post:
            self._last_post_s = self._last_line_s
            self.status.posts += 1
        self.status.lines += 1
        self._coverage = self._coverage.received(now)
        return True

    def _without_connection(self, ending: Ending, why_not: str) -> None:
        self.status.connected, self.status.why_not = False, why_not
        with self._lock:
            self._coverage, gap = self._coverage.ended(ending.value, self._clock.now())
            self._gaps += [gap] if gap is not None else []

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            if not self.status.connected:
                continue
            why = verdict(
                self._patience, self._clock.monotonic_s(), self._last_line_s, self._last_post_s
            )
            if why is not None:
                self._give_up(why)

    def _give_up(self, why: Ending) -> None:
        with self._lock:
            connection = self._connection
        if connection is not None:
            connection.give_up(why)


def _log(outcome: ConnectionEnd, wait_s: float) -> None:
    logger.warning(
        "no connection: %s",
        outcome.told,
        extra={
            "status": outcome.status,
            "lived_s": round(outcome.lived_s, 1),
            "lines": outcome.lines,
            "next_attempt_in_s": round(wait_s, 2),
        },
    )
