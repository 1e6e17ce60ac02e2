"""Health as progress: a process is well when it moves, or when there is nothing to do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_LATE_AFTER_S: Final = 2.0
"""A server that takes longer for an answer is said to be waited for."""


@dataclass(frozen=True)
class Health:
    """An answer of a probe: `ok`, and what a person should know."""

    ok: bool
    detail: str


class Progress:
    """What a process last achieved. Times are seconds of the `clock` handed in.

    `lag` is how much waits for it and is not finished: messages of its partitions, lines of its
    buffer, messages that the brokers have not confirmed. It has one writer in each process, beside
    the work wherever the work may hang: `LagWatch` for what reads Kafka, `measure_lag` for the
    streams of X, the status of a replay. `unavailable` names a server that it waits for, and
    `held` says why it was told to do nothing: both are said, not counted as a stall. `lost` says
    what only a new process can go on from: it is red at once.
    """

    def __init__(self, clock: Callable[[], float], stall_after_s: float) -> None:
        self._clock = clock
        self._stall_after_s = stall_after_s
        self._told_lag = 0
        self._ask_lag: Callable[[], int] | None = None
        self.last_progress_s = clock()
        self.ready = False
        self.unavailable: str | None = None
        self.held: str | None = None
        self.lost: str | None = None

    @property
    def lag(self) -> int:
        """How much waits and is not finished."""
        return self._told_lag if self._ask_lag is None else self._ask_lag()

    @lag.setter
    def lag(self, lag: int) -> None:
        self._told_lag = lag

    def measure_lag(self, ask: Callable[[], int]) -> None:
        """Ask for the lag from now on whenever it is needed, in any thread; `ask` must not wait."""
        self._ask_lag = ask

    def advance(self) -> None:
        """Note that a batch was finished, its commit included."""
        self.last_progress_s = self._clock()
        self.unavailable = None

    def idle(self) -> None:
        """Note that there was nothing to do."""
        if self.lag == 0:
            self.advance()

    def wait_for(self, server: str) -> None:
        """Note that a server is being waited for; it is named where that takes more than 2 s."""
        if self._clock() - self.last_progress_s > min(_LATE_AFTER_S, self._stall_after_s / 2):
            self.unavailable = server

    def health(self) -> Health:
        """Red when there is lag and nothing was finished for `stall_after_s`, or `lost` is said."""
        if self.lost is not None:
            return Health(False, self.lost)
        if self.held is not None:
            return Health(True, self.held)
        if self.unavailable is not None:
            return Health(True, f"waiting for {self.unavailable}")
        lag = self.lag
        silent_s = self._clock() - self.last_progress_s
        if lag > 0 and silent_s > self._stall_after_s:
            return Health(False, f"lag {lag} and no progress for {silent_s:.0f} s")
        return Health(True, f"lag {lag}, last progress {silent_s:.1f} s ago")

    def readiness(self) -> Health:
        """Red until the process can take work, and while it waits for a server or stalls."""
        if self.lost is not None:
            return Health(False, self.lost)
        if self.held is not None:
            return Health(False, self.held)
        if not self.ready:
            return Health(False, "starting")
        if self.unavailable is not None:
            return Health(False, f"waiting for {self.unavailable}")
        return self.health()
