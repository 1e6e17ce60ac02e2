"""No more tweets a second than were asked for."""

from collections.abc import Callable


class Pace:
    """Waits after each batch until as much time has passed as its tweets may take.

    `rate` is tweets a second, None for no bound. Time that was lost is not made up for.
    """

    def __init__(
        self, rate: float | None, *, clock: Callable[[], float], wait: Callable[[float], None]
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._wait = wait
        self._free_at_s = clock()

    def __call__(self, tweets: int) -> None:
        """Note a batch, and wait as long as it needs."""
        if self._rate is None:
            return
        now_s = self._clock()
        self._free_at_s = max(self._free_at_s + tweets / self._rate, now_s)
        if self._free_at_s > now_s:
            self._wait(self._free_at_s - now_s)
