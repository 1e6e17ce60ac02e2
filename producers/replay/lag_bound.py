"""How far a replay may be ahead of scoring, so that live tweets pass it."""

import logging
from collections.abc import Callable

from schemas.transport.group_lag import KafkaUnavailable

logger = logging.getLogger(__name__)

_ASK_EVERY_S = 0.5


class LagBound:
    """Allows no more than `max_lag` unprocessed events, whoever published them; 0 is no bound.

    Between two answers of the brokers it counts what this replay itself has added. What was under
    way when they were asked counts double, so the bound is never passed by this replay.
    """

    def __init__(self, max_lag: int, ask_lag: Callable[[], int]) -> None:
        self._max_lag = max_lag
        self._ask_lag = ask_lag
        self._asked_at_s: float | None = None
        self.lag: int | None = None
        """The latest answer and what was published since; None before the first answer."""

    def allows(self, now_s: float, outstanding: int) -> bool:
        """Tell whether one more event may be published; `outstanding` ones are unconfirmed.

        Asks the brokers about twice a second; where they do not answer, the old answer holds.
        """
        if self._max_lag == 0:
            return True
        if self._asked_at_s is None or now_s - self._asked_at_s >= _ASK_EVERY_S:
            self._asked_at_s = now_s
            try:
                self.lag = self._ask_lag() + outstanding
            except KafkaUnavailable as error:
                logger.warning("the lag of scoring is unknown: %s", error)
        return self.lag is not None and self.lag < self._max_lag

    def published(self) -> None:
        """Note that an event was published."""
        if self.lag is not None:
            self.lag += 1
