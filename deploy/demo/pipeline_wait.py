"""Waiting until every event has gone through, or nothing moves any more."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from schemas.failures import Failure
from schemas.setting_views import Cluster
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED, SINK_GROUP
from schemas.transport.group_lag import GroupLag, KafkaUnavailable

_POLL_S: Final = 0.25


class NotProcessed(Failure):
    """Events remain that nothing works on, or more come than are worked off."""


@dataclass(frozen=True)
class Remaining:
    """Events that are yet to be scored, and messages that are yet to be stored."""

    to_score: int
    to_store: int


class Pipeline:
    """Asks Kafka what the workers have before them."""

    def __init__(self, cluster: Cluster) -> None:
        def lag(group: str, *topics: str) -> GroupLag:
            names = [cluster.names.topic(topic) for topic in topics]
            return GroupLag(cluster.kafka, group=cluster.names.group(group), topics=names)

        self._score = lag(SCORE_GROUP, RAW)
        self._sink = lag(SINK_GROUP, SCORED, DEAD_LETTER)

    def remaining(self) -> Remaining:
        """Return what remains; raise `KafkaUnavailable`.

        The scoring is asked first: once it has nothing left, all that it made is in the sink's
        topics and counts there.
        """
        to_score = self._score.total()
        return Remaining(to_score, self._sink.total())


def await_processed(
    remaining: Callable[[], Remaining],
    *,
    stall_after_s: float,
    limit_s: float,
    show: Callable[[Remaining], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when nothing remains.

    Raises `NotProcessed` after `stall_after_s` in which nothing moved, and after `limit_s` in all.
    A broker that does not answer for a moment is asked again.
    """
    began_s = moved_s = clock()
    last: Remaining | None = None
    while True:
        try:
            now = remaining()
        except KafkaUnavailable:
            now = last or Remaining(-1, -1)
        if now != last:
            last, moved_s = now, clock()
            show(now)
        if now == Remaining(0, 0):
            return
        if clock() - moved_s > stall_after_s:
            raise NotProcessed(
                f"nothing has moved for {stall_after_s:.0f} s with {now.to_score:,} events to "
                f"score and {now.to_store:,} messages to store"
            )
        if clock() - began_s > limit_s:
            raise NotProcessed(
                f"after {limit_s:.0f} s there are still {now.to_score:,} events to score and "
                f"{now.to_store:,} messages to store: is something else publishing?"
            )
        sleep(_POLL_S)
