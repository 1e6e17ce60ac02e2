"""The end of a process that makes no progress, or that was asked to stop and cannot."""

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

from schemas.process.exit_codes import ExitCode
from schemas.process.progress import Health

logger = logging.getLogger(__name__)

STOP_WITHIN_S: Final = 9.0
"""For what is in flight when a process is told to stop; with its end that makes ten seconds."""

_INTERVAL_S: Final = 0.5


class Watchdog:
    """Ends its process when it stalls, or `STOP_WITHIN_S` after it was told to stop.

    What was not committed comes again, from Kafka, from the disk, or out of the gap that the next
    start of a live stream notes. `health` is red where something stands still, and is asked in
    this thread; `stopping` tells whether the process was told to stop; `end` gets an exit code and
    a sentence about what stood still.
    """

    def __init__(
        self,
        health: Callable[[], Health],
        *,
        stopping: Callable[[], bool],
        clock: Callable[[], float],
        end: Callable[[int, str], None],
    ) -> None:
        self._health = health
        self._stopping = stopping
        self._clock = clock
        self._end = end
        self._stopping_since_s: float | None = None

    def run(self, finished: threading.Event) -> None:
        """Look twice a second until `finished` is set."""
        while not finished.wait(_INTERVAL_S):
            self.look()

    def look(self) -> None:
        """End the process if it has to be ended now."""
        if self._stopping():
            now_s = self._clock()
            if self._stopping_since_s is None:
                self._stopping_since_s = now_s
            if now_s - self._stopping_since_s >= STOP_WITHIN_S:
                self._end(
                    ExitCode.UNFINISHED, f"asked to stop, not finished within {STOP_WITHIN_S:.0f} s"
                )
            return
        health = self._health()
        if not health.ok:
            self._end(ExitCode.STALLED, health.detail)


def end_process(exit_code: int, reason: str) -> NoReturn:
    """Log why and where every thread stands, and end the process at once.

    Not by an exception: what stands still may be a call into librdkafka or libpq in another
    thread, which nothing can unwind, and which would hold up the interpreter's own end.
    """
    logger.critical("%s: ending the process; what was not committed is read again", reason)
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    os._exit(exit_code)
