"""A flood of dead letters holds scoring until somebody, or what waits, lets it go on."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.events import Event
from schemas.settings import Settings
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker import CircuitBreaker, ScoringHeld
from stream_processors.circuit_breaker.breaker_topic import Hold
from stream_processors.circuit_breaker.release_hold import read_hold, release
from stream_processors.dead_letters.cli import dead_letters
from tests.conditions import wait_until
from tests.integration.test_score import everything_scored, probe, publish_raw, running_score
from tests.stack import process_environment
from tests.unit.examples import posted

WINDOW = 100


@pytest.fixture
def touchy(settings: Settings) -> Settings:
    """Settings under which a hundred messages are enough for a hold."""
    return settings.model_copy(update={"hold_window": WINDOW})


@contextmanager
def following(settings: Settings) -> Iterator[tuple[CircuitBreaker, ConfirmingPublisher]]:
    """A guard as a scoring process has one: it has read the topic, and follows it."""
    guard = CircuitBreaker(
        settings.cluster, settings.hold_limits, clock=time.time, told=lambda _: None
    )
    guard.board.load()
    finished = threading.Event()
    thread = threading.Thread(target=guard.board.follow_until, args=(finished,))
    thread.start()
    try:
        yield guard, ConfirmingPublisher(settings.kafka_connection, "test")
    finally:
        finished.set()
        thread.join(timeout=10)
        guard.board.close()


def good(count: int, start: int = 0) -> list[Event | bytes | None]:
    return [
        posted(tweet_id=str(800000000000000000 + n), text=f"day {n % 5} is good")
        for n in range(start, start + count)
    ]


def poison(count: int) -> list[Event | bytes | None]:
    return [b"{poison %d" % n for n in range(count)]


def is_held(settings: Settings) -> Hold | None:
    hold, fault = read_hold(settings.cluster)
    assert fault is None
    return hold


def test_a_flood_holds_scoring_over_restarts_until_it_is_released(
    touchy: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "score.log"
    with running_score(touchy, log) as process:
        publish_raw(touchy, [*poison(WINDOW), *good(20)])
        wait_until(lambda: is_held(touchy), 60, "the hold")
        wait_until(lambda: probe(log, "/readyz")[0] == 503, 60, "a red /readyz")
        # The next window finds it held, and ends the process instead of being processed.
        publish_raw(touchy, good(20, start=20))
        assert process.wait(timeout=30) == 1
    log = tmp_path / "restarted.log"
    with running_score(touchy, log):
        status, detail = wait_until(
            lambda: answer if "held since" in (answer := probe(log, "/readyz"))[1] else None,
            60,
            "the hold to be seen",
        )
        assert (status, "became dead letters" in detail) == (503, True)
        assert probe(log, "/healthz")[0] == 200
        assert "murmur_score_held 1.0" in probe(log, "/metrics")[1]
        assert not everything_scored(touchy)
        runner = CliRunner(env=process_environment(touchy))
        shown = json.loads(runner.invoke(dead_letters, ["list", "--json"]).stdout)
        assert shown["hold"]["letters"] >= 20
        assert runner.invoke(dead_letters, ["release"]).output == "scoring is released\n"
        wait_until(lambda: everything_scored(touchy), 60, "everything to be scored")
        wait_until(lambda: probe(log, "/readyz")[0] == 200, 60, "readiness")
        assert "murmur_score_held 0.0" in probe(log, "/metrics")[1]
        assert runner.invoke(dead_letters, ["release"]).output == "scoring is not held\n"


def test_a_signal_ends_a_process_that_waits(touchy: Settings, tmp_path: Path) -> None:
    hold_by_hand(touchy)
    log = tmp_path / "score.log"
    with running_score(touchy, log):
        wait_until(lambda: "held since" in probe(log, "/readyz")[1], 60, "the hold to be seen")


def test_good_messages_that_wait_release_it(touchy: Settings, tmp_path: Path) -> None:
    hold_by_hand(touchy)
    publish_raw(touchy, [*poison(10), *good(WINDOW)])
    with running_score(touchy, tmp_path / "score.log"):
        wait_until(lambda: everything_scored(touchy), 60, "everything to be scored")
    assert is_held(touchy) is None


def hold_by_hand(settings: Settings) -> None:
    with following(settings) as (guard, publisher):
        guard.count(publisher, [0] * WINDOW, [0] * WINDOW)
        publisher.confirm()


def test_every_process_of_the_group_holds_and_goes_on(touchy: Settings) -> None:
    with following(touchy) as (first, publisher), following(touchy) as (second, _):
        second.admit()
        first.count(publisher, [0] * WINDOW, [0] * WINDOW)
        publisher.confirm()
        wait_until(lambda: not second.wait_for_release(0), 60, "the other to hold")
        for guard in (first, second):
            with pytest.raises(ScoringHeld, match="became dead letters"):
                guard.admit()
        assert release(touchy.cluster) is not None
        for guard in (first, second):
            wait_until(lambda guard=guard: guard.wait_for_release(0.1), 60, "the release")  # type: ignore[misc]
        # Counting begins anew: what was released does not hold it again.
        second.count(publisher, [1], [1])
        second.admit()


def test_a_restart_does_not_empty_the_memory(touchy: Settings) -> None:
    bad = [0] * (WINDOW - 1)
    with following(touchy) as (guard, publisher):
        guard.count(publisher, bad, bad)
        publisher.confirm()
        guard.admit()
    assert is_held(touchy) is None
    with following(touchy) as (guard, publisher):
        guard.count(publisher, [0], [0])
        publisher.confirm()
    assert is_held(touchy) is not None


def test_a_few_dead_letters_hold_nothing(touchy: Settings) -> None:
    with following(touchy) as (guard, publisher):
        for _ in range(20):
            guard.count(publisher, [0] * 50, [0] * 9)
        publisher.confirm()
        guard.admit()
    assert is_held(touchy) is None


def test_letters_are_shown_where_no_kafka_is_known(settings: Settings, tmp_path: Path) -> None:
    without = settings.model_copy(update={"kafka": "", "home": tmp_path})
    runner = CliRunner(env=process_environment(without))
    shown = runner.invoke(dead_letters, ["list", "--json"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["total"] == 0
    assert "no kafka is known" in json.loads(shown.stdout)["hold_fault"]
