"""`murmur stream` against real servers and a fake X: nothing is lost unseen, whatever ends it."""

import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from schemas.codec import encode
from schemas.events import TweetPosted
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.integration.live_stream import published, rows, streaming
from tests.integration.replay_runs import messages
from tests.metrics_page import differences
from tests.stack import MURMUR, process_environment
from tests.x_server.faults import FAULTS, REFUSALS
from tests.x_server.server import FakeX
from tests.x_server.vocabularies import NEW

START_S = 20.0
"""What a process may take to start on a busy machine."""


@pytest.fixture
def x(x: FakeX) -> FakeX:
    """A fake X with a rule."""
    x.corpus.add_rule("cats", "about cats")
    return x


def gaps(settings: Settings) -> list[tuple[datetime, datetime | None, str]]:
    return rows(settings, "SELECT from_at, to_at, reason FROM stream_gaps ORDER BY from_at")


def test_posts_arrive_with_their_rules_and_a_stop_is_clean_and_quick(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        posts = [x.post(f"cats {number}") for number in range(50)]
        wait_until(lambda: len(published(to_x)) == 50, 60, "50 events")
        wait_until(lambda: "200" if "lag" in stream.page("/readyz") else None, 60, "readiness")
        assert "murmur_stream_month_posts 50.0" in wait_until(
            lambda: page if "month_posts 50.0" in (page := stream.page("/metrics")) else None,
            60,
            "the count",
        )
        assert differences(stream.page("/metrics"), "stream") == []
        began_s = time.monotonic()
        report = stream.stop()
        assert time.monotonic() - began_s < 5
    events = published(to_x)
    assert set(events) == {post.tweet_id for post in posts}
    assert {rule.tag for event in events.values() for rule in event.rules} == {"about cats"}
    assert report["posts"] == 50
    assert rows(to_x, "SELECT sum(posts) FROM posts_read") == [(50,)]
    assert rows(to_x, "SELECT ended, last_tweet_id FROM stream_coverage") == [
        ("stopped", posts[-1].tweet_id)
    ]
    first = x.asked[0]
    for field in ("note_tweet", "edit_history_tweet_ids", "referenced_tweets.id.author_id"):
        assert field in first


def test_a_kill_leaves_a_gap_from_what_was_published(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        before = x.post("cats before")
        wait_until(lambda: before.tweet_id in published(to_x), 60, "the first post")
        wait_until(lambda: rows(to_x, "SELECT 1 FROM stream_coverage"), 60, "stored coverage")
        stream.process.kill()
        stream.process.wait(10)
    missed = x.post("cats while nobody was there")
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: stream.page("/readyz").startswith("lag"), 60, "a connection")
        after = x.post("cats after")
        wait_until(lambda: after.tweet_id in published(to_x), 60, "the last post")
        stream.stop()
    (from_at, to_at, reason), stopped = gaps(to_x)
    assert (reason, stopped[1:]) == ("process-ended", (None, "stopped"))
    assert to_at is not None
    assert from_at < missed.at < to_at < after.at
    assert missed.tweet_id not in published(to_x)


def test_a_second_process_stands_by_and_takes_over(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    with streaming(to_x, tmp_path / "first") as first:
        wait_until(lambda: x.connected, 60, "a connection")
        with streaming(to_x, tmp_path / "second") as second:
            wait_until(lambda: "another process" in second.page("/readyz"), 60, "standing by")
            assert len(x.connects_s) == 1
            first.stop()
            wait_until(lambda: len(x.connects_s) == 2 and x.connected, 60, "the take-over")
            second.stop()
    assert x.most_at_once == 1


def test_a_capture_replays_to_the_same_events(x: FakeX, to_x: Settings, tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    odd = [fault for fault in FAULTS if fault.dead_letters]
    x.script.extend([odd[1], next(f for f in FAULTS if f.name == "a rule without a tag")])
    with streaming(to_x, tmp_path, "--capture", str(captures)) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        for number in range(200):
            x.post(f"cats {number}")

        later: list[str] = []

        def delivered_by_the_third_connection() -> bool:
            later.append(x.post("cats at last").tweet_id)
            return len(x.connects_s) >= 3 and not published(to_x).keys().isdisjoint(later)

        wait_until(delivered_by_the_third_connection, 60, "posts of the third connection")
        stream.stop()
    live = published(to_x)
    files = sorted(captures.iterdir())
    assert files
    replayed = subprocess.run(
        [MURMUR, "replay", *files, "--run", "again", "--json"],
        env=process_environment(to_x),
        capture_output=True,
        check=True,
    )
    again = published(to_x, "again")
    assert set(again) == set(live)
    for tweet_id, event in live.items():
        assert _apart_from_run_and_arrival(again[tweet_id]) == _apart_from_run_and_arrival(event)
    counted = json.loads(replayed.stdout)["files"]
    assert sum(sum(file["dead_letters"].values()) for file in counted) == 1
    assert len(messages(to_x, DEAD_LETTER)) == 2


def _apart_from_run_and_arrival(event: TweetPosted) -> bytes:
    return encode(msgspec.structs.replace(event, run="any", received_at=event.posted_at))


def test_what_the_disk_still_holds_is_published_at_the_next_start(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    unreachable = to_x.model_copy(update={"kafka": "127.0.0.1:9"})
    with streaming(unreachable, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        posts = [x.post(f"cats {number}") for number in range(20)]
        wait_until(lambda: "month_posts 20.0" in stream.page("/metrics"), 60, "what was read")
        stream.stop()
    assert published(to_x) == {}
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: len(published(to_x)) == 20, 60, "what was kept on disk")
        stream.stop()
    assert set(published(to_x)) == {post.tweet_id for post in posts}


def test_without_postgres_the_stream_goes_on_and_says_what_it_missed_later(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        connection = connect_postgres(to_x.postgres_connection, "test")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'murmur stream%'"
            )
        connection.close()
        x.script.append(next(f for f in FAULTS if f.name == "a heartbeat and closed"))
        post = x.post("cats")
        wait_until(lambda: post.tweet_id in published(to_x), 60, "a post")
        wait_until(lambda: rows(to_x, "SELECT 1 FROM stream_coverage"), 60, "coverage again")
        stream.stop()
    assert rows(to_x, "SELECT sum(posts) FROM posts_read") == [(1,)]


@pytest.mark.skipif("MURMUR_POSTGRES" in os.environ, reason="stops processes of PostgreSQL")
def test_a_postgres_that_hangs_does_not_hold_up_a_stop(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        post = x.post("cats")
        wait_until(lambda: post.tweet_id in published(to_x), 60, "a post")
        backends = rows(
            to_x,
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'murmur stream%'",
        )
        assert len(backends) == 2
        try:
            for (pid,) in backends:
                os.kill(pid, signal.SIGSTOP)
            began_s = time.monotonic()
            stream.stop()
            assert time.monotonic() - began_s < 5
        finally:
            for (pid,) in backends:
                os.kill(pid, signal.SIGCONT)


def test_at_the_monthly_limit_it_pauses_says_so_and_takes_no_further_post(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    limited = to_x.model_copy(update={"x_monthly_posts": 5})
    with streaming(limited, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        for number in range(9):
            x.post(f"cats {number}")
        wait_until(lambda: "spend-guard" in stream.page("/readyz"), 60, "the pause")
        wait_until(lambda: "spend_paused 1.0" in stream.page("/metrics"), 60, "the alarm")
        stream.stop()
    assert len(published(to_x)) == 5
    with streaming(limited, tmp_path) as stream:
        wait_until(lambda: "spend-guard" in stream.page("/readyz"), 60, "the pause, remembered")
        stream.stop()
    assert len(x.connects_s) == 1
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a raised limit")
        stream.stop()
    assert [reason for _, _, reason in gaps(to_x)] == ["spend-guard", "stopped"]


def test_where_x_refuses_the_token_the_stream_ends_with_its_reason_and_leaves_no_gap(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    x.script.append(REFUSALS[-1])
    ended = subprocess.run(
        [MURMUR, "stream", "--probe-port", "0"],
        env=process_environment(to_x),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert (
        ended.stderr.decode()
        .splitlines()[-1]
        .endswith(
            "X refuses the stream with 403: X says that the account has no access to this stream"
            " (X says: Client Forbidden: \\x1b[31mnot enrolled)"
        )
    )
    assert len(x.connects_s) == 1
    assert gaps(to_x) == []
    # What was never connected has missed nothing: not for the next start either.
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        wait_until(lambda: rows(to_x, "SELECT 1 FROM stream_coverage"), 60, "stored coverage")
        stream.stop()
    assert [reason for _, _, reason in gaps(to_x)] == ["stopped"]
    assert [begins for begins, _, _ in gaps(to_x)] > [datetime.now(UTC) - timedelta(minutes=5)]


def test_a_refusal_later_on_keeps_what_was_covered_before(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")
        post = x.post("cats")
        wait_until(lambda: post.tweet_id in published(to_x), 60, "a post")
        stream.stop()
    before = rows(to_x, "SELECT covered_until FROM stream_coverage")
    x.script.append(REFUSALS[0])
    with streaming(to_x, tmp_path) as stream:
        assert stream.process.wait(30) == 1
    assert rows(to_x, "SELECT covered_until FROM stream_coverage") == before
    assert [(to_at, reason) for _, to_at, reason in gaps(to_x)] == [(None, "stopped")]


def test_host_and_cause_are_said_within_ten_seconds(to_x: Settings, tmp_path: Path) -> None:
    away = to_x.model_copy(update={"x_api": "https://x.invalid"})
    with streaming(away, tmp_path) as stream:
        wait_until(
            lambda: (
                "unreachable: x.invalid: its name has no address here (DNS)"
                in stream.log.read_text()
            ),
            10 + START_S,
            "host and cause",
        )
        wait_until(lambda: "x.invalid" in stream.page("/readyz"), 10, "the cause in /readyz")


def test_what_posts_lack_is_counted_in_the_metrics_and_asked_for_otherwise(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    x.stream_dialect = NEW
    with streaming(to_x, tmp_path) as stream:
        wait_until(lambda: x.connected, 60, "a connection")

        def complete() -> bool:
            if x.connected:
                x.post("cats and dogs")
            return any(event.conversation_id for event in published(to_x).values())

        wait_until(complete, 60, "posts with what was asked for")
        counted = 'murmur_stream_missing_fields_total{field="created_at"}'
        wait_until(lambda: counted in stream.page("/metrics"), 60, "the count")
        stream.stop()
    assert "fields-missing" in {reason for _, _, reason in gaps(to_x)}
