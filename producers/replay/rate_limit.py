"""How fast a replay publishes."""

_LONGEST_CATCH_UP_S = 0.1


class RateLimit:
    """Spreads events evenly: `events_per_s` of them, or as fast as possible where that is None.

    Times are seconds of one monotonic clock. After a pause nothing is caught up but a tenth of a
    second.
    """

    def __init__(self, events_per_s: float | None, now_s: float) -> None:
        self._interval_s = 0.0 if events_per_s is None else 1 / events_per_s
        self._due_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait before the next event."""
        return max(0.0, self._due_s - now_s)

    def published(self, now_s: float) -> None:
        """Note that an event was published."""
        self._due_s = max(self._due_s, now_s - _LONGEST_CATCH_UP_S) + self._interval_s
