"""Watching from outside whether the stream moves: by committed offsets and lag, nothing else."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED, SINK_GROUP
from schemas.transport.group_lag import GroupLag, KafkaUnavailable

GROUPS = {SCORE_GROUP: (RAW,), SINK_GROUP: (SCORED, DEAD_LETTER)}
_ANSWER_S = 2.0
_PAUSE_S = 0.4


@dataclass(frozen=True)
class Standing:
    """What a group has committed and what is before it, over all partitions, at a moment."""

    at_s: float
    committed: int
    lag: int


@dataclass
class Observer:
    """Samples both groups until stopped; a broker that does not answer leaves a gap."""

    settings: Settings
    clock: Callable[[], float]
    published: Callable[[], bool]
    latest: dict[str, Standing] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Sample until `stop` is set."""
        lags = {group: self._asked(group) for group in GROUPS}
        while not stop.wait(_PAUSE_S):
            for group, asked in lags.items():
                self._sample(group, asked)
        for asked in lags.values():
            asked.close()

    def await_movement(self, since_s: float, give_up_s: float) -> float | None:
        """Return for how long, from `since_s`, the slower group was not seen to commit anything.

        That is an upper bound: it holds the time to the next messages and to two samples, some
        seconds together. A group without lag has nothing to commit once `published` says so.
        None: one did not move within `give_up_s`.
        """
        first: dict[str, int] = {}
        waits: dict[str, float] = {}
        while len(waits) < len(GROUPS):
            if self.clock() - since_s > give_up_s:
                return None
            for group in GROUPS.keys() - waits.keys():
                now = self.latest[group]
                if now.at_s <= since_s:
                    continue
                # What was committed of a topic that was made anew is forgotten with it.
                first[group] = min(first.get(group, now.committed), now.committed)
                moved = now.committed > first[group]
                if moved or (self.published() and now.lag == 0):
                    waits[group] = now.at_s - since_s
            threading.Event().wait(0.1)
        return max(waits.values())

    def _sample(self, group: str, asked: GroupLag) -> None:
        at_s = self.clock()
        try:
            standings = asked.standings(_ANSWER_S)
            behind = asked.behind(standings, timeout_s=_ANSWER_S)
        except KafkaUnavailable:
            return
        committed = sum(standings.committed.values())
        self.latest[group] = Standing(at_s, committed, sum(behind.values()))

    def _asked(self, group: str) -> GroupLag:
        names = self.settings.names
        return GroupLag(
            self.settings.kafka_connection,
            group=names.group(group),
            topics=[names.topic(topic) for topic in GROUPS[group]],
        )
