"""`murmur compliance stream` in a process of its own, against a fake X."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from producers.x_api.removals import SOURCE
from schemas import locks
from schemas.events import AuthorErased, ScoredEvent, TweetDeleted, TweetWithheld
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER
from schemas.transport.postgres import Connection
from tests.conditions import wait_until
from tests.integration.live_stream import TOKEN, rows
from tests.integration.replay_runs import messages, raw_events
from tests.integration.storing import store
from tests.metrics_page import differences
from tests.stack import MURMUR, process_environment
from tests.unit.examples import scored_tweet
from tests.x_server.compliance_streams import event_line
from tests.x_server.server import FakeX

COMMAND = [str(MURMUR), "compliance", "stream", "--probe-port", "0", "--json"]
ALL = {(kind, number) for kind in ("tweets", "users") for number in range(1, 5)}


@contextmanager
def streaming(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (
        log.open("wb") as err,
        subprocess.Popen(
            COMMAND, env=process_environment(settings), stdout=subprocess.PIPE, stderr=err
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def test_what_the_compliance_streams_say_is_gone_leaves_what_is_stored(
    x: FakeX, to_x: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(
        connection,
        [
            scored_tweet(run="live", tweet_id="15", root_id="15", author_id="1"),
            scored_tweet(run="live", tweet_id="16", root_id="16", author_id="2"),
            scored_tweet(run="live", tweet_id="17", root_id="17", author_id="3"),
        ],
    )
    log = tmp_path / "log"
    with streaming(to_x, log) as process:
        wait_until(lambda: x.compliance_streams.connected == ALL, 40, "all eight partitions")
        wait_until(lambda: _page(log, "/readyz"), 60, "readiness")
        x.compliance_streams.send(("tweets", 1), event_line("delete", "15"), b"<html>")
        x.compliance_streams.send(("tweets", 4), event_line("withheld", "18"))
        x.compliance_streams.send(
            ("users", 2), event_line("user_suspend", "2"), event_line("user_unsuspend", "2")
        )
        wait_until(lambda: len(raw_events(to_x)) == 3, 40, "three removals")
        wait_until(lambda: len(messages(to_x, DEAD_LETTER)) == 1, 60, "a dead letter")
        page = _page(log, "/metrics")
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        assert time.monotonic() - began_s < 5
    assert process.returncode == 0, log.read_text()
    assert "murmur_compliance_stream_connected 8.0" in page
    assert differences(page, "compliance-stream") == []
    assert json.loads(out) == {
        "AuthorErased": 1,
        "TweetDeleted": 1,
        "TweetWithheld": 1,
        "not-json": 1,
        "user_unsuspend": 1,
    }
    events = raw_events(to_x)
    assert {type(event) for event in events} == {TweetDeleted, TweetWithheld, AuthorErased}
    assert {(event.run, event.source) for event in events} == {("live", SOURCE)}
    store(connection, cast("list[ScoredEvent]", events))
    assert rows(to_x, "SELECT root_id FROM tweets") == [("17",)]
    assert TOKEN not in log.read_text()


def test_what_kafka_did_not_take_is_published_at_the_next_start(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    without_kafka = to_x.model_copy(update={"kafka": "127.0.0.1:1"})
    with streaming(without_kafka, tmp_path / "first") as process:
        wait_until(lambda: ("users", 4) in x.compliance_streams.connected, 40, "a connection")
        x.compliance_streams.send(("users", 4), event_line("user_delete", "2"))
        lag = "murmur_compliance_stream_lag_events 1.0"
        wait_until(lambda: lag in _page(tmp_path / "first", "/metrics"), 60, "the event")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)) == (0, {})
    assert raw_events(to_x) == []
    with streaming(to_x, tmp_path / "second") as process:
        wait_until(lambda: raw_events(to_x), 40, "the removal")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    assert json.loads(out) == {"AuthorErased": 1}


def test_an_account_without_access_is_told_so_in_one_line(x: FakeX, to_x: Settings) -> None:
    x.compliance_streams.forbidden = True
    ended = subprocess.run(
        COMMAND, env=process_environment(to_x), capture_output=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (1, b"")
    said = [line for line in ended.stderr.decode().splitlines() if "no access" in line]
    assert len(said) == 1
    assert "murmur compliance run" in said[0]


def test_a_second_process_stands_by(
    x: FakeX, to_x: Settings, connection: Connection, tmp_path: Path
) -> None:
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (locks.COMPLIANCE_STREAM,))
    log = tmp_path / "log"
    with streaming(to_x, log) as process:
        wait_until(lambda: "another process is connected" in log.read_text(), 40, "the reason")
        assert x.asked == []
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0


def _page(log: Path, path: str) -> str:
    """Return a page of the probes that the log names, empty where it is red."""
    probes = re.search(r"probes at (http://[0-9.:]+)", log.read_text())
    assert probes is not None
    try:
        with urllib.request.urlopen(probes[1] + path, timeout=30) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError:
        return ""
