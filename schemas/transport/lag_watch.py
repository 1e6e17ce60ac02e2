"""What a worker has before it, asked of the brokers beside its work: also while that hangs."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping

from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.messages import Partition
from schemas.transport.topic_ids import KnownTopics, made_anew_sentence

logger = logging.getLogger(__name__)

_INTERVAL_S = 2.0
_KAFKA = "Kafka"


def note_expired(metrics: StageMetrics, partition: Partition, count: int) -> None:
    """Count messages that expired before they were read, and say so: they are lost."""
    metrics.expired_unread.inc(count)
    logger.error(
        "%d messages of %s expired before they were read",
        count,
        partition[0],
        extra={"topic": partition[0], "partition": partition[1], "messages": count},
    )


class LagWatch:
    """Keeps `progress.lag`, says when Kafka or a topic is away, and looks for what expired unread.

    The lag is how many messages the partitions that are `assigned` to this process hold behind
    what it has done: what its group committed, or what `done` says where a store of the process's
    own knows better. A process that has none, as every process has in its first seconds, answers
    for the whole group while that stands still. Nobody else writes it, and the metric shows it.
    Where one of the `topics` was made anew it says so in `progress.lost`.
    """

    def __init__(
        self,
        group_lag: GroupLag,
        *,
        topics: KnownTopics,
        assigned: Callable[[], Collection[Partition]],
        progress: Progress,
        metrics: StageMetrics,
        expired: ExpiredUnread,
        done: Callable[[], Mapping[Partition, int]] = dict,
    ) -> None:
        self._group_lag = group_lag
        self._topics = topics
        self._assigned = assigned
        self._progress = progress
        self._metrics = metrics
        self._expired = expired
        self._done = done
        self._committed = 0
        self._missing: str | None = None

    def start(self, finished: threading.Event) -> None:
        """Look every two seconds in a thread of its own until `finished` is set.

        A fault that it does not handle is said in `progress.lost`: with a lag that nobody measures
        no stall would be seen.
        """
        threading.Thread(target=self._run, args=(finished,), name="lag", daemon=True).start()

    def look(self) -> None:
        """Ask the brokers once."""
        progress = self._progress
        done = self._done()
        try:
            anew = self._topics.made_anew()
            standings = self._group_lag.standings()
            lag = self._group_lag.behind(standings, done)
        except KafkaUnavailable as error:
            if progress.unavailable is None:
                progress.unavailable = _KAFKA
                logger.warning("%s", error)
            return
        if anew:
            progress.lost = made_anew_sentence(anew)
        self._answered(standings.missing)
        assigned = self._assigned()
        for partition, low in standings.low.items():
            if partition in assigned:
                self._expired.low(partition, low)
                self._expired.nothing_before(partition, standings.high[partition] - lag[partition])
        committed = sum(standings.committed.values())
        if assigned:
            progress.lag = sum(behind for partition, behind in lag.items() if partition in assigned)
        else:
            progress.lag = sum(lag.values()) if committed == self._committed else 0
        self._committed = committed
        if progress.unavailable is None:
            progress.idle()
        self._metrics.lag.set(progress.lag)
        self._metrics.show_partitions(
            {partition: behind for partition, behind in lag.items() if partition in assigned}
        )

    def _answered(self, missing: frozenset[str]) -> None:
        progress = self._progress
        if missing:
            if progress.unavailable in (None, _KAFKA):
                progress.unavailable = self._missing = f"the topic {min(missing)}"
                logger.warning("%s is missing: `murmur init` makes it", self._missing)
        elif progress.unavailable is not None and progress.unavailable in (_KAFKA, self._missing):
            progress.advance()

    def _run(self, finished: threading.Event) -> None:
        try:
            while not finished.wait(_INTERVAL_S):
                self.look()
        except BaseException as fault:
            if not finished.is_set():
                self._progress.lost = f"its lag cannot be measured any more: {fault}"
            raise
