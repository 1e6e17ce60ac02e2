"""When the next event may go: not too fast, not too far ahead, not more than Kafka confirms."""

from collections.abc import Callable
from typing import Final

from producers.replay.lag_bound import LagBound
from producers.replay.playback_clock import PlaybackClock
from producers.replay.rate_limit import RateLimit
from schemas.events import RawEvent
from schemas.transport.publisher import ConfirmingPublisher

MAX_OUTSTANDING: Final = 20_000
"""Most messages without confirmation. Below the publisher's own buffer, so that handing one over
never blocks and a person who interrupts is heard."""

_LONGEST_WAIT_S: Final = 0.05


class Throttle:
    """Waits for the turn of an event, taking in confirmations meanwhile.

    `on_wait` is called at least every 50 ms of waiting. `waiting_for` says what held the latest
    event up, None where nothing did; `due_in_s` how far off the time of the next tweet is.
    """

    def __init__(
        self,
        *,
        publisher: ConfirmingPublisher,
        pace: RateLimit,
        tempo: PlaybackClock,
        bound: LagBound,
        stopped: Callable[[], bool],
        clock: Callable[[], float],
        on_wait: Callable[[], None],
    ) -> None:
        self._publisher = publisher
        self._pace = pace
        self._tempo = tempo
        self._bound = bound
        self._stopped = stopped
        self._clock = clock
        self._on_wait = on_wait
        self.waiting_for: str | None = None
        self.due_in_s = 0.0

    def wait_for_turn(self, event: RawEvent) -> bool:
        """Wait until the event may be published; False where the replay is to stop."""
        while self.wait_for_room():
            now_s = self._clock()
            wait_s = self._pace.wait_s(now_s)
            self.due_in_s = self._tempo.wait_s(event, now_s)
            if not self._bound.allows(now_s, self._publisher.outstanding):
                self.waiting_for = f"scoring, {self._bound.lag or 0} events behind"
                wait_s = _LONGEST_WAIT_S
            elif max(wait_s, self.due_in_s) <= 0:
                self.waiting_for = None
                self._pace.published(now_s)
                self._tempo.published(event)
                self._bound.published()
                return True
            else:
                self.waiting_for = None
                wait_s = max(wait_s, self.due_in_s)
            self._wait(wait_s)
        return False

    def wait_for_room(self) -> bool:
        """Wait until one more message may be unconfirmed; False where the replay is to stop."""
        while not self._stopped():
            if self._publisher.outstanding < MAX_OUTSTANDING:
                return True
            self.waiting_for = "Kafka's confirmations"
            self._wait(_LONGEST_WAIT_S)
        return False

    def _wait(self, wait_s: float) -> None:
        self._publisher.serve(min(wait_s, _LONGEST_WAIT_S))
        self._on_wait()
