"""The reader of one of X's streams: connect, receive, wait as X asks, and again until stopped."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from producers.x_connection.backoff import CONNECTS_IN_WINDOW, Attempts, after, connecting
from producers.x_connection.clock import Clock
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import PAUSES, ConnectionEnd, Ending
from producers.x_connection.received_line import ReceivedLine
from producers.x_connection.stall_detection import StallLimits, verdict
from schemas.process.liveness import Liveness

logger = logging.getLogger(__name__)

_ASK_AGAIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 1.0

Connect = Callable[[Callable[[bytes], Ending | None], Callable[[], None]], StreamConnection]
"""Makes a connection that hands each line to the first and tells the second of X's answer."""


class LineReceiver(Protocol):
    """What is done with the lines of a stream. Called in the reader's thread."""

    def pause(self) -> Ending | None:
        """Return why there must be no connection now, None where there may be one."""
        ...

    def connection_made(self) -> None:
        """Note that X accepted a connection."""
        ...

    def line_received(self, line: ReceivedLine) -> Ending | None:
        """Take a line, a heartbeat too; return why the connection has to end where it has to."""
        ...

    def connection_lost(self, why: Ending) -> None:
        """Note that there is no connection, at its end and again at each attempt and pause."""
        ...


@dataclass
class ReaderStatus:
    """What a reader is doing, for probes and metrics. Written by the reader alone.

    `accepted` counts the connects that X answered with 200.
    """

    connected: bool = False
    why_not: str = "starting"
    connects: int = 0
    accepted: int = 0
    lines: int = 0
    posts: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    next_wait_s: float = 0.0


class StreamReader:
    """Reads until it is stopped; whatever X, the network or the disk do, `run` goes on.

    But for one thing: where X refuses whoever asks, `run` ends, and `refusal` says how. The
    receiver hears nothing of that: nobody could have received what such a one asks for. `stream`
    is what logs call it. `liveness` hears of each step, and of each wait that ends by itself.
    `logs_refusal` is False where whoever runs several readers says it once for all.
    """

    def __init__(
        self,
        stream: str,
        *,
        connect: Connect,
        receiver: LineReceiver,
        patience: StallLimits,
        clock: Clock,
        liveness: Liveness,
        backfill_minutes: int = 0,
        allowed_connects: int = CONNECTS_IN_WINDOW,
        logs_refusal: bool = True,
    ) -> None:
        self.stream = stream
        self._connect = connect
        self._receiver = receiver
        self._patience = patience
        self._clock = clock
        self._liveness = liveness
        self._logs_refusal = logs_refusal
        self._backfill_minutes = backfill_minutes
        self._attempts = Attempts(allowed_connects=allowed_connects)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._connection: StreamConnection | None = None
        self._paused = False
        self._last_line_s = self._last_post_s = 0.0
        self.status = ReaderStatus()
        self.refusal: ConnectionEnd | None = None

    def run(self) -> None:
        """Connect, receive, wait, and again, until `stop`."""
        threading.Thread(target=self._watch, name="stall watch", daemon=True).start()
        try:
            while not self._stop.is_set():
                self._liveness.moves()
                wait_s = self._once()
                self._liveness.rests()
                if not self._stop.is_set():
                    self._clock.wait(self._stop, wait_s)
        finally:
            self._liveness.rests()
            self._stop.set()

    def stop(self) -> None:
        """End the connection and `run`, from another thread, within a moment."""
        self._stop.set()
        self._give_up(Ending.STOPPED)

    def _once(self) -> float:
        """Pause, or have one connection from its attempt to its end; return how long to wait."""
        pause = self._receiver.pause()
        if pause is not None:
            if not self._paused:
                logger.error("%s pauses: %s", self.stream, PAUSES[pause])
            self._paused = True
            self._lost(pause, pause.value)
            return _ASK_AGAIN_S
        self._paused = False
        end = self._received()
        self.status.endings[end.ending.value] += 1
        if end.is_final:
            self.refusal = end
            self.status.connected, self.status.why_not = False, end.told
            if self._logs_refusal:
                logger.error("X refuses %s: %s", self.stream, end.told)
            self._stop.set()
            return 0.0
        self._lost(end.ending, end.told)
        self._attempts, wait_s = after(self._attempts, end, self._clock.monotonic_s())
        self.status.next_wait_s = wait_s
        if not self._stop.is_set():
            _log(self.stream, end, wait_s)
        return wait_s

    def _received(self) -> ConnectionEnd:
        now_s = self._clock.monotonic_s()
        self._attempts = connecting(self._attempts, now_s)
        self._last_line_s = self._last_post_s = now_s
        self.status.connects += 1
        # Until X answers, the adapter's own time limits bound the attempt.
        self._liveness.rests()
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
        self._liveness.moves()
        self._last_line_s = self._last_post_s = self._clock.monotonic_s()
        self._receiver.connection_made()
        self.status.connected, self.status.why_not = True, ""
        self.status.accepted += 1
        logger.info("connected to %s", self.stream)

    def _accept(self, raw: bytes) -> Ending | None:
        self._liveness.moves()
        line = ReceivedLine(self._clock.now(), raw)
        why = self._receiver.line_received(line)
        if why is not None:
            return why
        self._last_line_s = self._clock.monotonic_s()
        if line.is_post:
            self._last_post_s = self._last_line_s
            self.status.posts += 1
        self.status.lines += 1
        return None

    def _lost(self, ending: Ending, why_not: str) -> None:
        self.status.connected, self.status.why_not = False, why_not
        self._receiver.connection_lost(ending)

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


def _log(stream: str, end: ConnectionEnd, wait_s: float) -> None:
    logger.warning(
        "no connection to %s: %s",
        stream,
        end.told,
        extra={
            "status": end.status,
            "lived_s": round(end.lived_s, 1),
            "lines": end.lines,
            "next_attempt_in_s": round(wait_s, 2),
        },
    )
