"""How many rules X has for the stream, asked now and then: without any it sends nothing."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry

from schemas.failures import Failure
from schemas.process.metric_list import STREAM_RULES

logger = logging.getLogger(__name__)

FIRST_LOOK_S: Final = 30.0
LOOK_EVERY_S: Final = 900.0
"""X allows 450 such questions in a quarter of an hour; they cost no posts."""


class RulesGauge:
    """The count as X last told it; NaN until then."""

    def __init__(self, registry: CollectorRegistry, count: Callable[[], int]) -> None:
        self._gauge = STREAM_RULES.register(registry)
        self._gauge.set(float("nan"))
        self._count = count

    def follow(self, finished: threading.Event) -> None:
        """Ask in a thread of its own until `finished` is set; what X refuses is asked again."""
        threading.Thread(target=self._run, args=(finished,), name="rules", daemon=True).start()

    def look(self) -> None:
        """Ask once."""
        try:
            self._gauge.set(self._count())
        except Failure as error:
            logger.warning("the rules at X are not known: %s", error)

    def _run(self, finished: threading.Event) -> None:
        pause_s = FIRST_LOOK_S
        while not finished.wait(pause_s):
            self.look()
            pause_s = LOOK_EVERY_S
