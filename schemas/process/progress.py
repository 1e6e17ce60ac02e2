"""Health as progress: a process is well when it moves, or when there is nothing to do."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """An answer of a probe: `ok`, and what a person should know."""

    ok: bool
    detail: str


class Progress:
    """What a process last achieved. Times are seconds of the `clock` handed in.

    `unavailable` names a server that the process waits for, and `held` says why it was told to do
    nothing: both are said, not counted as a stall.
    """

    def __init__(self, clock: Callable[[], float], stall_after_s: float) -> None:
        self._clock = clock
        self._stall_after_s = stall_after_s
        self.last_progress_s = clock()
        self.lag = 0
        self.ready = False
        self.unavailable: str | None = None
        self.held: str | None = None

    def advance(self) -> None:
        """Note that a batch was finished, its commit included."""
        self.last_progress_s = self._clock()
        self.unavailable = None

    def idle(self) -> None:
        """Note that there was nothing to do."""
        if self.lag == 0:
            self.advance()

    def health(self) -> Health:
        """Red when there is lag and nothing was finished for `stall_after_s`."""
        if self.held is not None:
            return Health(True, self.held)
        if self.unavailable is not None:
            return Health(True, f"waiting for {self.unavailable}")
        silent_s = self._clock() - self.last_progress_s
        if self.lag > 0 and silent_s > self._stall_after_s:
            return Health(False, f"lag {self.lag} and no progress for {silent_s:.0f} s")
        return Health(True, f"lag {self.lag}, last progress {silent_s:.1f} s ago")

    def readiness(self) -> Health:
        """Red until the process can take work, and while it waits for a server or stalls."""
        if self.held is not None:
            return Health(False, self.held)
        if not self.ready:
            return Health(False, "starting")
        if self.unavailable is not None:
            return Health(False, f"waiting for {self.unavailable}")
        return self.health()
