"""Whether a thread still moves that nobody waits for, such as one that receives."""

from collections.abc import Callable

from schemas.process.progress import Health


class Liveness:
    """When a thread last moved; red where it has been at one thing for longer than it may be.

    The thread says `moves` at each step, and `rests` before a wait that ends by itself. So
    `stuck_after_s` has to be longer than the longest time between two steps.
    """

    def __init__(self, name: str, clock: Callable[[], float], stuck_after_s: float) -> None:
        self._name = name
        self._clock = clock
        self._stuck_after_s = stuck_after_s
        self._moved_at_s: float | None = None

    def moves(self) -> None:
        """Note a step."""
        self._moved_at_s = self._clock()

    def rests(self) -> None:
        """Note that the thread waits, however long, until it says `moves`."""
        self._moved_at_s = None

    def health(self) -> Health:
        """Red where the thread neither rests nor has moved for `stuck_after_s`."""
        moved_at_s = self._moved_at_s
        silent_s = 0.0 if moved_at_s is None else self._clock() - moved_at_s
        if silent_s > self._stuck_after_s:
            return Health(False, f"{self._name} has not moved for {silent_s:.0f} s")
        return Health(True, f"{self._name} moves")
