"""The lag of a process: what its partitions hold behind what it has done."""

import threading
from collections.abc import Mapping

import pytest

from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.group_lag import (
    GroupLag,
    KafkaUnavailable,
    Standings,
    lag_of,
    next_offsets,
)
from schemas.transport.lag_watch import LagWatch
from schemas.transport.messages import Partition
from schemas.transport.topic_ids import KnownTopics
from tests.conditions import wait_until

MINE: Partition = ("tweets.scored", 0)
ANOTHERS: Partition = ("tweets.scored", 1)


class Brokers(GroupLag):
    """What the brokers answer; a test double, since they cannot be made to answer so."""

    def __init__(self) -> None:
        self.away = False
        self.committed = {MINE: 10, ANOTHERS: 10}
        self.missing: frozenset[str] = frozenset()
        self.low = 0
        self.no_message_before = 0

    def standings(self, timeout_s: float = 10.0) -> Standings:
        del timeout_s
        if self.away:
            raise KafkaUnavailable("away")
        if self.missing:
            return Standings({}, {}, {}, self.missing)
        low = {MINE: self.low, ANOTHERS: 0}
        return Standings(self.committed, low, {MINE: 40, ANOTHERS: 50})

    def behind(
        self,
        standings: Standings,
        done: Mapping[Partition, int] | None = None,
        timeout_s: float = 10.0,
    ) -> dict[Partition, int]:
        del timeout_s
        offsets = {**standings.committed, **(done or {})}
        positions = next_offsets(offsets, standings.low, standings.high)
        if MINE in positions:
            positions[MINE] = max(positions[MINE], self.no_message_before)
        return lag_of(positions, standings.high)


class Topics(KnownTopics):
    """What the brokers know of the topics."""

    def __init__(self) -> None:
        self.anew: list[str] = []

    def made_anew(self) -> list[str]:
        return self.anew


class Watched:
    """A process whose lag is watched."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.brokers = Brokers()
        self.topics = Topics()
        self.progress = Progress(lambda: self.now_s, stall_after_s=60)
        self.metrics = StageMetrics("sink")
        self.assigned: set[Partition] = {MINE}
        self.done: dict[Partition, int] = {}
        self.lost: list[int] = []
        self.expired = ExpiredUnread(lambda _at, count: self.lost.append(count))
        self.expired.assigned({MINE: 10})
        self.watch = LagWatch(
            self.brokers,
            topics=self.topics,
            assigned=lambda: self.assigned,
            progress=self.progress,
            metrics=self.metrics,
            expired=self.expired,
            done=lambda: self.done,
        )

    def lag(self) -> int:
        self.watch.look()
        shown = self.metrics.registry.get_sample_value("murmur_sink_lag_events")
        assert shown == self.progress.lag
        return self.progress.lag


def test_it_is_that_of_its_own_partitions_and_the_metric_shows_it() -> None:
    assert Watched().lag() == 30


def test_what_its_own_store_has_counts_whatever_the_group_has_committed() -> None:
    process = Watched()
    process.done = {MINE: 35}
    assert process.lag() == 5
    process.done = {MINE: 4}
    assert process.lag() == 36


def test_who_has_nothing_answers_for_the_group_while_that_stands_still() -> None:
    process = Watched()
    process.assigned = set()
    assert process.lag() == 0
    assert process.lag() == 70
    process.brokers.committed = {MINE: 20, ANOTHERS: 10}
    assert process.lag() == 0


def test_nothing_to_do_is_progress_but_not_while_another_server_is_away() -> None:
    process = Watched()
    process.done, process.now_s = {MINE: 40}, 100
    assert (process.lag(), process.progress.last_progress_s) == (0, 100)
    process.progress.unavailable, process.now_s = "PostgreSQL", 200
    assert (process.lag(), process.progress.unavailable) == (0, "PostgreSQL")


def test_kafka_that_is_away_is_said_until_it_is_back() -> None:
    process = Watched()
    process.brokers.away = True
    process.watch.look()
    assert process.progress.unavailable == "Kafka"
    process.brokers.away = False
    assert process.lag() == 30
    assert process.progress.unavailable is None


def test_a_topic_that_was_made_anew_is_red_at_once_and_stays_so() -> None:
    process = Watched()
    process.topics.anew = ["tweets.raw"]
    process.lag()
    process.topics.anew = []
    process.progress.advance()
    process.progress.held = "held"
    process.lag()
    for answer in (process.progress.health(), process.progress.readiness()):
        assert not answer.ok
        assert answer.detail.startswith("made anew while this process ran: tweets.raw;")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_its_thread_is_no_silent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Faulty(Brokers):
        def standings(self, timeout_s: float = 10.0) -> Standings:
            raise UnicodeError(f"an answer that nobody expected within {timeout_s:g} s")

    monkeypatch.setattr("schemas.transport.lag_watch._INTERVAL_S", 0.01)
    process = Watched()
    process.watch._group_lag = Faulty()
    process.watch.start(threading.Event())
    wait_until(lambda: not process.progress.health().ok, 60, "the process is red")
    assert "an answer that nobody expected" in process.progress.health().detail


def test_a_missing_topic_is_waited_for() -> None:
    process = Watched()
    process.progress.ready = True
    process.brokers.missing = frozenset(["tweets.raw"])
    assert process.lag() == 0
    assert process.progress.unavailable == "the topic tweets.raw"
    assert not process.progress.readiness().ok
    process.brokers.missing = frozenset()
    assert process.lag() == 30
    assert process.progress.unavailable is None


def test_marks_of_transactions_that_expire_are_no_loss_and_messages_are() -> None:
    process = Watched()
    process.brokers.no_message_before = 20
    assert process.lag() == 20
    process.brokers.low = 20
    process.lag()
    assert process.lost == []
    process.brokers.low = 25
    process.lag()
    assert process.lost == [5]
