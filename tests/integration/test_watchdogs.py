"""Processes that hang are ended, with a code that says why."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient

from schemas import locks
from schemas.process.watchdog import EXIT_STALLED, EXIT_UNFINISHED
from schemas.settings import Settings
from schemas.topics import SCORED, topic_name
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.integration.test_score import publish_raw
from tests.integration.test_sink import publish
from tests.stack import MURMUR, process_environment
from tests.unit.examples import posted, scored_tweet

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
