"""When the next event may go: not too fast, not too far ahead, not more than Kafka confirms."""

from collections.abc import Callable
from typing import Final

from producers.replaying.lag_bound import LagBound
from producers.replaying.pace import Pace
from schemas.transport.publisher import ConfirmingPublisher

MAX_OUTSTANDING: Final = 20_000
"""Most messages without confirmation. Below the publisher's own buffer, so that handing one over
never blocks and a person who interrupts is heard."""

_LONGEST_WAIT_S: Final = 0.05


class Gate:
    """Waits for the turn of an event, taking in confirmations meanwhile.

    `on_wait` is called at least every 50 ms of waiting. `waiting_for` says what held the latest
    event up, None where nothing did.
    """

    def __init__(
        self,
        *,
        publisher: ConfirmingPublisher,
        pace: Pace,
        bound: LagBound,
        stopped: Callable[[], bool],
        clock: Callable[[], float],
        on_wait: Callable[[], None],
    ) -> None:
        self._publisher = publisher
        self._pace = pace
        self._bound = bound
        self._stopped = stopped
        self._clock = clock
        self._on_wait = on_wait
        self.waiting_for: str | None = None

    def wait_for_turn(self) -> bool:
        """Wait until one more event may be published; False where the replay is to stop."""
        while self.wait_for_room():
            now_s = self._clock()
            wait_s = self._pace.wait_s(now_s)
            if not self._bound.allows(now_s, self._publisher.outstanding):
                self.waiting_for = f"scoring, {self._bound.lag or 0} events behind"
                wait_s = _LONGEST_WAIT_S
            elif wait_s <= 0:
                self.waiting_for = None
                self._pace.published(now_s)
                self._bound.published()
                return True
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
