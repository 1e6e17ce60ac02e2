"""Processes that hang are ended, with a code that says why; what expired is counted."""

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from schemas import locks
from schemas.observability.watchdog import EXIT_STALLED, EXIT_UNFINISHED
from schemas.settings import Settings
from schemas.topics import RAW, SCORE_GROUP, SCORED, group_name, topic_name
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.integration.test_score import probe, publish_raw, running_score
from tests.integration.test_sink import publish
from tests.stack import MURMUR, process_environment
from tests.unit.examples import deleted, posted, scored_tweet

STALL_AFTER_S = 3


@contextmanager
def running(settings: Settings, worker: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    hasty = settings.model_copy(update={"stall_after_s": STALL_AFTER_S})
    with log.open("ab") as output:
        process = subprocess.Popen(
            [MURMUR, worker, "--probe-port", "0"], env=process_environment(hasty), stderr=output
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def nobody_can_store(settings: Settings) -> Iterator[Callable[[], bool]]:
    """Hold the lock that every sink needs; yield whether one waits for it."""
    connection = connect_postgres(settings, "test")
    try:
        with connection.cursor() as cur:
            cur.execute("SELECT pg_advisory_lock(%s)", (locks.REMOVALS,))
            connection.commit()

            def somebody_waits() -> bool:
                cur.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                return cur.fetchone() is not None

            yield somebody_waits
    finally:
        connection.close()


def test_a_sink_that_hangs_in_postgres_is_ended_and_says_what_stood_still(
    settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "sink.log"
    with nobody_can_store(settings), running(settings, "sink", log) as sink:
        publish(settings, [scored_tweet()])
        assert sink.wait(timeout=60) == EXIT_STALLED
    assert "lag 1 and no progress" in log.read_text()
    assert "Thread" in log.read_text()


def test_a_sink_that_hangs_in_postgres_still_stops_within_ten_seconds(
    settings: Settings, tmp_path: Path
) -> None:
    patient = settings.model_copy(update={"stall_after_s": 600})
    with (
        nobody_can_store(settings) as somebody_waits,
        (tmp_path / "sink.log").open("ab") as log,
        subprocess.Popen(
            [MURMUR, "sink", "--probe-port", "0"], env=process_environment(patient), stderr=log
        ) as sink,
    ):
        publish(settings, [scored_tweet()])
        wait_until(somebody_waits, 60, "the sink to hang")
        sink.send_signal(signal.SIGTERM)
        assert sink.wait(timeout=10) == EXIT_UNFINISHED


def test_a_scoring_process_that_cannot_publish_is_ended(settings: Settings, tmp_path: Path) -> None:
    admin = AdminClient(kafka_config(settings, "test"))
    admin.delete_topics([topic_name(settings, SCORED)])[topic_name(settings, SCORED)].result(30)
    with running(settings, "score", tmp_path / "score.log") as score:
        publish_raw(settings, [posted()])
        assert score.wait(timeout=60) == EXIT_STALLED


@pytest.mark.parametrize("while_running", [False, True])
def test_what_expired_before_it_was_scored_is_counted(
    settings: Settings, tmp_path: Path, while_running: bool
) -> None:
    topic = topic_name(settings, RAW)
    lag = GroupLag(settings, group=group_name(settings, SCORE_GROUP), topics=[topic])
    results = GroupLag(settings, group="test", topics=[topic_name(settings, SCORED)])
    admin = AdminClient(kafka_config(settings, "test"))
    first, second = tmp_path / "first.log", tmp_path / "second.log"

    def scored() -> None:
        wait_until(lambda: lag.total() == 0, 60, "everything to be scored")

    def expire(process: "subprocess.Popen[bytes] | None") -> None:
        if process is not None:
            process.send_signal(signal.SIGSTOP)
        publish_raw(settings, [deleted(str(number)) for number in range(40, 80)])
        gone = [TopicPartition(*at, end) for at, end in lag.standings().high.items()]
        for future in admin.delete_records(gone).values():
            future.result(timeout=30)
        publish_raw(settings, [deleted(str(number)) for number in range(80, 120)])
        if process is not None:
            process.send_signal(signal.SIGCONT)

    def all_accounted_for(log: Path) -> bool:
        """Whether each of the 120 is scored or counted: a fetch under way may have saved some."""
        found = re.search(
            r"^murmur_score_expired_unread_total (\S+)", probe(log, "/metrics")[1], re.M
        )
        expired = float(found[1]) if found else 0
        return expired > 0 and expired + sum(results.standings().high.values()) == 120

    with running_score(settings, first) as process:
        publish_raw(settings, [deleted(str(number)) for number in range(40)])
        scored()
        if while_running:
            expire(process)
            wait_until(lambda: all_accounted_for(first), 60, "the loss to be counted")
    if not while_running:
        expire(None)
        with running_score(settings, second):
            wait_until(lambda: all_accounted_for(second), 60, "the loss to be counted")
