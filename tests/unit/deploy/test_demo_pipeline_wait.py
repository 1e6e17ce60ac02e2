"""The demo waits as long as anything moves, and no longer."""

from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

import pytest

from deploy.demo.pipeline_wait import NotProcessed, Remaining, await_processed
from schemas.transport.group_lag import KafkaUnavailable

Answer = Remaining | KafkaUnavailable


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def answering(answers: Iterator[Answer]) -> Callable[[], Remaining]:
    def remaining() -> Remaining:
        answer = next(answers)
        if isinstance(answer, KafkaUnavailable):
            raise answer
        return answer

    return remaining


def wait(time: Time, *parts: Iterator[Answer], limit_s: float = 1_000) -> list[Remaining]:
    """Wait, and return what was shown."""
    shown: list[Remaining] = []
    await_processed(
        answering(chain(*parts)),
        stall_after_s=60,
        limit_s=limit_s,
        show=shown.append,
        clock=time.clock,
        sleep=time.sleep,
    )
    return shown


def test_it_returns_once_nothing_remains_to_score_nor_to_store() -> None:
    answers = [Remaining(5, 0), Remaining(5, 0), Remaining(0, 3), Remaining(0, 0)]
    assert wait(Time(), iter(answers)) == [Remaining(5, 0), Remaining(0, 3), Remaining(0, 0)]


def test_it_waits_for_hours_while_something_moves() -> None:
    time = Time()
    slow = (Remaining(left, 0) for left in range(100, -1, -1) for _ in range(200))
    wait(time, slow, limit_s=100_000)
    assert time.now_s > 3_600


def test_it_gives_up_when_nothing_has_moved_for_a_minute() -> None:
    time = Time()
    with pytest.raises(NotProcessed, match="nothing has moved for 60 s with 7 events to score"):
        wait(time, iter([Remaining(9, 0)]), repeat(Remaining(7, 2)))
    assert 60 <= time.now_s < 62


def test_it_gives_up_when_others_publish_for_ever() -> None:
    with pytest.raises(NotProcessed, match="something else publishing"):
        wait(Time(), (Remaining(number, 0) for number in count(1)))


def test_a_broker_that_is_away_for_a_moment_is_asked_again() -> None:
    away = KafkaUnavailable("away")
    wait(Time(), iter([away, Remaining(1, 1), away, Remaining(0, 0)]))
    with pytest.raises(NotProcessed):
        wait(Time(), repeat(away))
