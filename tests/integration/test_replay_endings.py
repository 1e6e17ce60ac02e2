"""However a replay ends, nothing is lost, and the next one goes on where it was."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from schemas.settings import Settings
from schemas.topics import RAW
from tests.integration.replay_runs import (
    FIRST_ID,
    archive,
    dead_letters,
    first_stored_position,
    messages,
    numbers,
    position,
    raw_events,
    refused,
    replay,
    running,
    tweet_line,
    value_of,
)


def test_a_killed_replay_loses_nothing_and_goes_on_where_it_was(
    settings: Settings, tmp_path: Path
) -> None:
    path = archive(tmp_path, *(tweet_line(n) if n % 10 else b"broken\n" for n in range(20_000)))
    # Paced, so that the kill comes after a stored position and long before the end.
    with running(settings, path, "--run", "killed", "--rate", "2000", "--max-lag", "0") as process:
        done_before = first_stored_position(settings, "killed", process)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    assert not position(settings, "killed")[3]
    report = replay(settings, path, "--run", "killed", "--max-lag", "0")
    assert report["files"][0]["records_done_before"] >= done_before
    assert report["events"] < 18_000
    assert set(numbers(settings)) == {n for n in range(20_000) if n % 10}
    assert {letter.position.offset for letter in dead_letters(settings)} == set(
        range(1, 20_001, 10)
    )
    assert position(settings, "killed") == (20_000, 18_000, 2_000, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_replay_stores_its_position_and_ends_within_seconds(
    settings: Settings, tmp_path: Path, number: signal.Signals
) -> None:
    path = archive(tmp_path, *map(tweet_line, range(5_000)))
    with running(settings, path, "--run", "stopped", "--rate", "500", "--json") as process:
        first_stored_position(settings, "stopped", process)
        process.send_signal(number)
        out, _ = process.communicate(timeout=15)
    assert process.returncode == 128 + number
    report = json.loads(out)
    assert report["outcome"] == "interrupted"
    done, events, _, finished = position(settings, "stopped")
    assert (done, events) == (report["events"], report["events"])
    assert not finished
    rest = replay(settings, path, "--run", "stopped")
    assert report["events"] + rest["events"] == 5_000
    assert numbers(settings) == list(range(5_000))


def test_a_finished_archive_replayed_again_repeats_the_same_events(
    settings: Settings, tmp_path: Path
) -> None:
    path = archive(tmp_path, *map(tweet_line, range(50)), b'{"text":"without an id"}\n')
    for _ in range(2):
        assert replay(settings, path, "--run", "twice")["events"] == 51
    seen: dict[bytes | None, list[dict[str, Any]]] = {}
    for message in messages(settings, RAW):
        event = json.loads(value_of(message))
        del event["received_at"]
        seen.setdefault(message.key(), []).append(event)
    assert len(seen) == 51
    assert all(first == second for first, second in seen.values())


def test_a_limit_stops_and_the_next_replay_goes_on_there(
    settings: Settings, tmp_path: Path
) -> None:
    path = archive(tmp_path, *map(tweet_line, range(100)))
    report = replay(settings, path, "--limit", "30")
    assert (report["events"], report["outcome"]) == (30, "limit reached")
    assert numbers(settings) == list(range(30))
    assert replay(settings, path)["events"] == 70
    assert numbers(settings) == list(range(100))


def test_files_already_finished_are_passed_over_while_others_are_not(
    settings: Settings, tmp_path: Path
) -> None:
    first = archive(tmp_path, *map(tweet_line, range(10)), name="first.jsonl")
    second = archive(tmp_path, *map(tweet_line, range(10, 20)), name="second.jsonl")
    replay(settings, first, "--run", "both")
    report = replay(settings, first, second, "--run", "both")
    assert [file["events"] for file in report["files"]] == [{}, {"TweetPosted": 10}]
    assert report["files"][0]["action"] == "passed over: already finished"
    assert replay(settings, first, second, "--run", "both", "--restart")["events"] == 20


def test_a_damaged_archive_is_published_as_far_as_it_goes_and_fails(settings: Settings) -> None:
    path = Path(__file__).parents[1] / "golden" / "archives" / "x_v2_truncated.gz"
    report = replay(settings, path, code=1)
    assert report["events"] == 1
    assert "damaged gzip data" in report["files"][0]["damage"]
    (letter,) = dead_letters(settings)
    assert letter.reason == "unreadable-line"
    assert letter.detail.startswith("x_v2_truncated.gz:2: damaged gzip data")


def test_a_file_whose_name_is_no_utf_8_is_replayed(settings: Settings, tmp_path: Path) -> None:
    path = archive(tmp_path, tweet_line(0), b"broken\n", name=os.fsdecode(b"caf\xe9.jsonl"))
    report = replay(settings, path, "--run", "name")
    assert report["files"][0]["file"].endswith("/caf\ufffd.jsonl")
    assert position(settings, "name") == (2, 1, 1, True)
    (letter,) = dead_letters(settings)
    assert letter.detail.startswith("caf\ufffd.jsonl:2: ")


def test_what_nothing_can_be_used_of_is_refused_before_anything_is_published(
    settings: Settings, tmp_path: Path
) -> None:
    path = archive(tmp_path, b"id,text,label\n", *[b"1,words,and,more\n"] * 120, name="wide.csv")
    error = refused(settings, path, "--run", "wide", code=1)
    assert "4 columns instead of 3" in error
    assert "id, text, label" in error
    assert dead_letters(settings) == []
    assert raw_events(settings) == []
    report = replay(settings, path, "--run", "wide", "--force", code=1)
    assert (report["events"], report["dead_letters"]) == (0, 120)
    assert report["outcome"] == "nothing usable"
    assert "120 unreadable-line" in report["files"][0]["nothing_usable"]
    assert len(dead_letters(settings)) == 120


def test_an_interrupted_array_goes_on_where_it_was(settings: Settings, tmp_path: Path) -> None:
    tweets = [json.loads(tweet_line(number))["data"] for number in range(60)]
    path = archive(tmp_path, json.dumps(tweets).encode(), name="array.json")
    assert replay(settings, path, "--limit", "25")["events"] == 25
    assert replay(settings, path)["events"] == 35
    assert numbers(settings) == list(range(60))


def test_what_was_noticed_of_ids_columns_and_times_stands_in_the_report(
    settings: Settings, tmp_path: Path
) -> None:
    rows = [b"x%d,words %d,fine,01/03/2023\n" % (FIRST_ID, number) for number in range(3)]
    path = archive(tmp_path, b"status_id,text,mood,created_at\n", *rows, name="a.csv")
    (file,) = replay(settings, path)["files"]
    assert file["columns_passed_over"] == ["mood"]
    assert file["columns_taken_for"] == {"status_id": "id"}
    assert file["dropped_fields"] == {"created_at": 3}
    assert file["repeated_ids"] == 2
    assert file["without_a_time"] == 0
    assert {event.tweet_id for event in raw_events(settings)} == {str(FIRST_ID)}  # type: ignore[union-attr]
