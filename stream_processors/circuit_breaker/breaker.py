"""What the scoring step asks before each window, and tells after it."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from schemas.failures import Failure
from schemas.setting_views import Cluster, HoldLimits
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker_topic import BreakerTopic, Hold, Tally
from stream_processors.circuit_breaker.dead_letter_ratio import DeadLetterRatio

logger = logging.getLogger(__name__)

_END_AFTER_S: Final = 3.0
"""How long a held process waits before it ends: Faust commits each second what was done."""


class ScoringHeld(Failure):
    """Scoring is held; this process ends, and the one that is started next waits for a release."""


class CircuitBreaker:
    """Counts dead letters, holds every scoring process above the ratio, and keeps to a hold.

    The window that made it too many is acknowledged as others are: all of it was published. After
    that nothing is processed until somebody releases it, and a release begins counting anew, so
    that each lets at least a window's messages pass.
    """

    def __init__(
        self,
        cluster: Cluster,
        limits: HoldLimits,
        *,
        clock: Callable[[], float],
        told: Callable[[Hold | None], None],
    ) -> None:
        self.board = BreakerTopic(cluster, changed=self._changed, counted=self._counted)
        self._clock = clock
        self._told = told
        self._released = threading.Event()
        self._released.set()
        self._lock = threading.Lock()
        self._ratio = DeadLetterRatio(
            clock, most_ratio=limits.most_ratio, window_messages=limits.window_messages
        )

    def wait_for_release(self, timeout_s: float) -> bool:
        """Wait while scoring is held, at most so long; tell whether it is not held."""
        return self._released.wait(timeout_s)

    def admit(self) -> None:
        """Return if a window may be processed; raise `ScoringHeld` where none may, for a while."""
        if not self._released.wait(_END_AFTER_S):
            hold = self.board.hold
            raise ScoringHeld(hold.sentence() if hold is not None else "scoring is held")

    def count(
        self, publisher: ConfirmingPublisher, partitions: Iterable[int], of_letters: Iterable[int]
    ) -> None:
        """Count a window by the partitions of its messages and of its dead letters.

        What is published here the caller confirms with the window. Nothing is, where there are no
        dead letters: on the topic a flood costs less than its dead letters, and its absence
        nothing.
        """
        letters = Counter(of_letters)
        with self._lock:
            for partition, messages in Counter(partitions).items():
                self._ratio.add(partition, messages, letters[partition])
                if letters[partition]:
                    chunks = self._ratio.chunks(partition)
                    self.board.publish_tally(publisher, partition, chunks)
            excess = self._ratio.excess() if letters else None
        if excess is not None and self._released.is_set():
            since = datetime.fromtimestamp(self._clock(), UTC)
            hold = Hold(since=since, letters=excess.letters, messages=excess.messages)
            logger.error("%s; `murmur dead-letters release` resumes it", hold.sentence())
            self.board.publish_hold(publisher, hold)
            self._changed(hold)

    def _changed(self, hold: Hold | None) -> None:
        if hold is None:
            with self._lock:
                self._ratio.clear()
            self._released.set()
        else:
            self._released.clear()
        self._told(hold)

    def _counted(self, tally: Tally) -> None:
        with self._lock:
            self._ratio.replace(tally.partition, tally.chunks)
