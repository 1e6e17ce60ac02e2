"""Replaying tars, folders, standard input and time, on real servers."""

import io
import json
import signal
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.events import TweetPosted
from schemas.settings import Settings
from schemas.topics import RAW
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.integration.replay_runs import (
    FIRST_ID,
    archive,
    messages,
    numbers,
    raw_events,
    refused,
    replay,
    running,
    tweet_line,
)
from tests.stack import MURMUR, process_environment

_IDS_A_SECOND = 1_000 << 22


def packed(folder: Path, members: int, tweets: int, ending: str) -> Path:
    path = folder / f"minutes{ending}"
    starts = range(0, members * tweets, tweets)
    minutes = [b"".join(tweet_line(n) for n in range(at, at + tweets)) for at in starts]
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for minute, content in enumerate(minutes):
                archive.writestr(f"{minute}.json", content)
        return path
    with tarfile.open(path, "w:gz" if ending == ".tar.gz" else "w") as tar:
        for minute, content in enumerate(minutes):
            member = tarfile.TarInfo(f"{minute}.json")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def timed(folder: Path, *seconds: float) -> Path:
    lines = [
        b'{"data":{"id":"%d","text":"words"}}\n' % (FIRST_ID + int(second * _IDS_A_SECOND))
        for second in seconds
    ]
    return archive(folder, *lines)


def place(settings: Settings, run: str) -> tuple[int, int, int]:
    """Files in the archive done, records before the next one, records done."""
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT members_done, records_before_member, records_done FROM replay_files"
                " WHERE run = %s",
                (run,),
            )
            rows = cursor.fetchall()
    finally:
        connection.close()
    return rows[0] if rows else (0, 0, 0)


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".zip"])
def test_a_killed_replay_goes_on_inside_the_tar_or_zip(
    settings: Settings, tmp_path: Path, ending: str
) -> None:
    path = packed(tmp_path, members=20, tweets=200, ending=ending)
    with running(settings, path, "--run", "packed", "--rate", "400", "--max-lag", "0") as process:
        wait_until(lambda: place(settings, "packed")[0] >= 2, 60, "files in the archive done")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    members_done, before, done = place(settings, "packed")
    assert before == members_done * 200
    assert before <= done <= before + 200
    report = replay(settings, path, "--run", "packed", "--max-lag", "0")
    assert report["events"] == 4_000 - done
    assert report["files"][0]["formats"] == {"x-v2": 20 - members_done}
    assert set(numbers(settings)) == set(range(4_000))


def test_a_folder_is_replayed_and_gone_on_with_file_by_file(
    settings: Settings, tmp_path: Path
) -> None:
    for n in range(6):
        archive(tmp_path, *map(tweet_line, range(n * 10, n * 10 + 10)), name=f"{n}.jsonl")
    (tmp_path / "notes.md").write_text("no archive")
    first = replay(settings, tmp_path, "--run", "folder", "--limit", "25")
    assert first["outcome"] == "limit reached"
    rest = replay(settings, tmp_path, "--run", "folder")
    assert first["events"] + rest["events"] == 60
    assert [each["file"] for each in rest["passed_over"]] == [str(tmp_path / "notes.md")]
    assert numbers(settings) == list(range(60))


def test_standard_input_gives_the_same_ids_each_time(settings: Settings) -> None:
    content = tweet_line(0) + b'{"text":"without an id"}\n{"text":"without an id"}\nbroken\n'
    for _ in range(2):
        done = subprocess.run(
            [MURMUR, "replay", "-", "--run", "pipe", "--json"],
            input=content,
            env=process_environment(settings),
            capture_output=True,
            check=True,
        )
        report = json.loads(done.stdout)
        assert (report["events"], report["dead_letters"]) == (3, 1)
    ids = [event.tweet_id for event in raw_events(settings) if isinstance(event, TweetPosted)]
    assert len(ids) == 6
    assert len(set(ids)) == 3


def test_standard_input_that_stays_silent_can_be_interrupted(settings: Settings) -> None:
    with subprocess.Popen(
        [MURMUR, "replay", "-", "--run", "silent", "--json"],
        env=process_environment(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(tweet_line(0))
        process.stdin.flush()
        wait_until(lambda: len(messages(settings, RAW)) == 1, 60, "the first event")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 128 + signal.SIGINT
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["outcome"] == "interrupted"


def test_only_the_time_asked_for_is_published(settings: Settings, tmp_path: Path) -> None:
    path = timed(tmp_path, 0, 60, 120, 180)
    first = raw_time(FIRST_ID)
    start, end = first + timedelta(seconds=60), first + timedelta(seconds=180)
    report = replay(settings, path, "--from", start.isoformat(), "--to", end.isoformat())
    assert report["events"] == 2
    assert report["files"][0]["skipped"] == {"outside-the-time-asked-for": 2}


def raw_time(tweet_id: int) -> datetime:
    return datetime.fromtimestamp(((tweet_id >> 22) + 1_288_834_974_657) / 1_000, UTC)


def test_a_speed_keeps_the_distances_between_tweets(settings: Settings, tmp_path: Path) -> None:
    path = timed(tmp_path, 0, 60, 90, 180)
    replay(settings, path, "--speed", "60x", "--max-lag", "0")
    sent = sorted(message.timestamp()[1] for message in messages(settings, RAW))
    # A busy machine may be late, and is never early.
    for distance_ms, at_ms in zip((0, 1_000, 1_500, 3_000), sent, strict=True):
        assert at_ms - sent[0] >= distance_ms - 50


@pytest.mark.parametrize("speed", ["1x", "max"])
def test_a_run_keeps_the_shift_that_it_was_begun_with(
    settings: Settings, tmp_path: Path, speed: str
) -> None:
    path = timed(tmp_path, 0, 0.2, 0.4)
    began = datetime.now(UTC)
    one = replay(settings, path, "--run", "now", "--shift-to-now", "--speed", speed)
    two = replay(settings, path, "--run", "now", "--restart")
    assert one["time_shift_s"] == two["time_shift_s"] > 0
    times = [event.posted_at for event in raw_events(settings) if isinstance(event, TweetPosted)]
    assert len(times) == 6
    assert len(set(times)) == 3
    aligned = min(times) if speed == "1x" else max(times)
    assert abs(aligned - began) < timedelta(minutes=1)


def test_a_run_begun_without_a_shift_is_not_moved_later(settings: Settings, tmp_path: Path) -> None:
    path = timed(tmp_path, 0)
    replay(settings, path, "--run", "as-it-was")
    error = refused(settings, path, "--run", "as-it-was", "--shift-to-now", code=1)
    assert "started without --shift-to-now" in error


def test_an_archive_goes_into_the_live_run_only_when_that_is_said_twice(
    settings: Settings, tmp_path: Path
) -> None:
    path = timed(tmp_path, 0)
    assert "--yes" in refused(settings, path, "--into", "live", code=2)
    assert messages(settings, RAW) == []
    assert replay(settings, path, "--into", "live", "--yes")["run"] == "live"
    (event,) = raw_events(settings)
    assert event.run == "live"
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT kind FROM runs WHERE run = 'live'")
            assert cursor.fetchall() == [("live",)]
    finally:
        connection.close()
