"""Processes that hang are ended, with a code that says why."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from schemas import locks
from schemas.process.exit_codes import ExitCode
from schemas.settings import Settings
from schemas.topics import SCORED
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import Connection, connect_postgres
from tests.conditions import wait_until
from tests.integration.live_stream import StreamProcess, published, streaming
from tests.integration.test_score import publish_raw
from tests.integration.test_sink import publish
from tests.stack import MURMUR, process_environment
from tests.unit.examples import posted, scored_tweet
from tests.x_server.server import FakeX

STALL_AFTER_S = 3


def hasty(settings: Settings) -> Settings:
    return settings.model_copy(update={"stall_after_s": STALL_AFTER_S})


@contextmanager
def running(settings: Settings, command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [MURMUR, *command.split(), "--probe-port", "0"],
            env=process_environment(hasty(settings)),
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def nobody_can_store(settings: Settings) -> Iterator[Callable[[], bool]]:
    """Hold the lock that every sink needs; yield whether one waits for it."""
    connection = connect_postgres(settings.postgres_connection, "test")
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
        assert sink.wait(timeout=60) == ExitCode.STALLED
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
        assert sink.wait(timeout=10) == ExitCode.UNFINISHED


def test_a_scoring_process_that_cannot_publish_is_ended(settings: Settings, tmp_path: Path) -> None:
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    admin.delete_topics([settings.names.topic(SCORED)])[settings.names.topic(SCORED)].result(30)
    with running(settings, "score", tmp_path / "score.log") as score:
        publish_raw(settings, [posted()])
        assert score.wait(timeout=60) == ExitCode.STALLED


@pytest.fixture
def x(x: FakeX) -> FakeX:
    """A fake X with a rule."""
    x.corpus.add_rule("cats", "about cats")
    return x


def a_disk_that_hangs(folder: Path) -> Path:
    """Put a pipe that nobody writes to where a stream keeps its lines: reading it never ends."""
    folder.mkdir(parents=True)
    os.mkfifo(folder / "1.lines")
    return folder / "1.lines"


def lines_behind(pipe: Path) -> None:
    """Put a line of an earlier start behind the pipe: something waits, and is seen to."""
    (pipe.parent / "2.lines").write_bytes(b"2026-11-01T00:00:00+00:00 {}\n")


def reader_of(pipe: Path) -> int | None:
    """Return the other end of a pipe that somebody reads, or waits to read."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def test_a_live_stream_that_cannot_go_on_with_lines_waiting_is_ended(
    to_x: Settings, tmp_path: Path
) -> None:
    lines_behind(a_disk_that_hangs(to_x.spill_folder))
    log = tmp_path / "stream.log"
    with running(to_x, "stream", log) as process:
        assert process.wait(timeout=60) == ExitCode.STALLED, log.read_text()
    assert "lag 1 and no progress for" in log.read_text()
    assert "Thread" in log.read_text()


def test_a_live_stream_that_no_longer_reads_is_ended_although_nothing_waits(
    to_x: Settings, tmp_path: Path
) -> None:
    a_disk_that_hangs(to_x.spill_folder)
    log = tmp_path / "stream.log"
    with running(to_x.model_copy(update={"x_silence_s": 20.5}), "stream", log) as process:
        assert process.wait(timeout=90) == ExitCode.STALLED, log.read_text()
    assert "the reader has not moved for" in log.read_text()


def test_a_live_stream_without_kafka_says_so_and_is_not_ended(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    unreachable = hasty(to_x).model_copy(update={"kafka": "127.0.0.1:9"})
    with streaming(unreachable, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        x.post("cats")
        goes_on_while_it_waits_for("Kafka", stream, x)
        stream.stop()


def test_a_live_stream_that_hangs_in_postgres_says_so_and_is_not_ended(
    x: FakeX, to_x: Settings, connection: Connection, tmp_path: Path
) -> None:
    with streaming(hasty(to_x), tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        first = x.post("cats at first")
        wait_until(lambda: first.tweet_id in published(to_x), 60, "the first post")
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE stream_coverage IN ACCESS EXCLUSIVE MODE")
        goes_on_while_it_waits_for("PostgreSQL", stream, x)
        connection.rollback()
        last = x.post("cats at last")
        wait_until(lambda: last.tweet_id in published(to_x), 60, "the last post")
        stream.stop()


def goes_on_while_it_waits_for(server: str, stream: StreamProcess, x: FakeX) -> None:
    waiting = f"waiting for {server}\n"
    wait_until(lambda: x.post("cats") and stream.page("/readyz") == waiting, 60, "the reason")
    until_s = time.monotonic() + 2 * STALL_AFTER_S
    wait_until(lambda: x.post("cats") and time.monotonic() > until_s, 60, "time to pass")
    assert stream.page("/healthz").startswith(("waiting for", "lag"))
    assert stream.process.poll() is None


def test_a_compliance_stream_that_cannot_go_on_with_lines_waiting_is_ended(
    to_x: Settings, tmp_path: Path
) -> None:
    lines_behind(a_disk_that_hangs(to_x.spill_folder / "compliance"))
    log = tmp_path / "compliance.log"
    with running(to_x, "compliance stream", log) as process:
        assert process.wait(timeout=60) == ExitCode.STALLED, log.read_text()
    assert "lag 1 and no progress for" in log.read_text()


def test_a_compliance_stream_whose_disk_hangs_still_stops_within_ten_seconds(
    to_x: Settings, tmp_path: Path
) -> None:
    pipe = a_disk_that_hangs(to_x.spill_folder / "compliance")
    log = tmp_path / "compliance.log"
    with running(to_x, "compliance stream", log) as process:
        end = wait_until(lambda: reader_of(pipe), 60, "the publisher to read from the disk")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == ExitCode.UNFINISHED, log.read_text()
        os.close(end)
