"""An export is the same bytes for the same data, whole or not at all."""

import csv
import io
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from pyarrow import parquet

from schemas.failures import Failure
from schemas.known_runs import UnknownRun
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.queries.export import EmptyRun, Format, export_run
from stream_processors.retention.run_deletion import delete_run
from tests.integration.reading import run_command, some_tweets
from tests.integration.storing import arrived_now, store
from tests.stack import MURMUR, process_environment
from tests.unit.examples import deleted, scored_tweet


def exported(connection: Connection, form: Format, path: Path) -> bytes:
    export_run(connection, "archive", form, path)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "ids"])
def test_the_same_data_gives_the_same_bytes_however_it_arrived(
    connection: Connection, tmp_path: Path, form: Format
) -> None:
    tweets = some_tweets(300)
    store(connection, tweets)
    first = exported(connection, form, tmp_path / "first")
    delete_run(connection, "archive")
    tweets = arrived_now(tweets)
    for start in range(0, 300, 50):
        store(connection, tweets[::-1][start : start + 50])
    store(connection, tweets)
    assert exported(connection, form, tmp_path / "second") == first
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second"}


def test_an_export_and_the_view_say_which_labels_are_guesses(
    connection: Connection, tmp_path: Path
) -> None:
    marks = {"10": True, "20": False, "30": None}
    tweets = [
        scored_tweet(run="archive", tweet_id=tweet_id, language="pt", language_known=mark)
        for tweet_id, mark in marks.items()
    ]
    store(connection, tweets)
    lines = [
        json.loads(line) for line in exported(connection, "jsonl", tmp_path / "j").splitlines()
    ]
    assert {line["tweet_id"]: line["language_known"] for line in lines} == marks
    cells = csv.DictReader(io.StringIO(exported(connection, "csv", tmp_path / "c").decode()))
    assert [row["language_known"] for row in cells] == ["true", "false", ""]
    exported(connection, "parquet", tmp_path / "p")
    columns = parquet.read_table(tmp_path / "p").to_pydict()
    assert columns["language_known"] == [True, False, None]
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT tweet_id, language_known FROM scored_tweets")
        assert dict(cursor.fetchall()) == marks


def test_an_export_is_for_its_owner_alone(connection: Connection, tmp_path: Path) -> None:
    store(connection, some_tweets(3))
    exported(connection, "jsonl", tmp_path / "x")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_an_export_holds_every_tweet_by_day_and_id(connection: Connection, tmp_path: Path) -> None:
    tweets = sorted(some_tweets(50), key=lambda tweet: (tweet.day, tweet.root_id))
    store(connection, tweets)
    lines = [
        json.loads(line) for line in exported(connection, "jsonl", tmp_path / "x").splitlines()
    ]
    assert [line["tweet_id"] for line in lines] == [tweet.tweet_id for tweet in tweets]
    for line, tweet in zip(lines, tweets, strict=True):
        assert line["text"] == tweet.text
        assert line["label"] == tweet.score.label
        assert line["probabilities"] == tweet.score.probabilities
        assert line["model_sha256"] == tweet.score.model.sha256
        assert datetime.fromisoformat(line["posted_at"]) == tweet.posted_at


@pytest.mark.parametrize("form", ["jsonl", "csv", "ids"])
def test_a_reader_that_has_seen_enough_is_no_fault(
    connection: Connection, settings: Settings, form: str
) -> None:
    store(connection, some_tweets(9_000))
    which = ["--ids-only"] if form == "ids" else ["--format", form]
    process = subprocess.Popen(
        [MURMUR, "export", "--run", "archive", *which],
        env=process_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_every_format_tells_the_same(connection: Connection, tmp_path: Path) -> None:
    store(connection, some_tweets(50))
    lines = [
        json.loads(line) for line in exported(connection, "jsonl", tmp_path / "x").splitlines()
    ]
    text = exported(connection, "csv", tmp_path / "x.csv").decode()
    cells = list(csv.DictReader(io.StringIO(text, newline="")))
    exported(connection, "parquet", tmp_path / "x.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    for line, cell, row in zip(lines, cells, rows, strict=True):
        assert cell["text"].removeprefix("'") == row["text"] == line["text"]
        assert float(cell["probability_positive"]) == line["probabilities"]["positive"]
        assert row["probability_positive"] == line["probabilities"]["positive"]
        assert json.loads(cell["hashtags"]) == row["hashtags"] == line["hashtags"]
        assert row["posted_at"] == datetime.fromisoformat(line["posted_at"])
    ids = exported(connection, "ids", tmp_path / "ids").decode().split()
    assert ids == [line["tweet_id"] for line in lines]


def test_standard_output_gets_the_bytes_that_a_file_gets(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, some_tweets(20))
    result = run_command(settings, "export", "--run", "archive")
    assert result.stdout_bytes == exported(connection, "jsonl", tmp_path / "x")


def test_an_empty_or_unknown_run_leaves_the_file_that_was_there(
    connection: Connection, tmp_path: Path
) -> None:
    store(connection, [scored_tweet(run="archive"), deleted(run="archive")])
    path = tmp_path / "tweets.jsonl"
    path.write_text("precious")
    with pytest.raises(EmptyRun, match="no tweets"):
        export_run(connection, "archive", "jsonl", path)
    with pytest.raises(UnknownRun):
        export_run(connection, "nothing", "jsonl", path)
    assert path.read_text() == "precious"


def test_an_export_that_breaks_off_leaves_the_file_that_was_there(
    settings: Settings, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(connection, some_tweets(3_000))
    path = tmp_path / "tweets.jsonl"
    path.write_text("precious")

    def end_of_connection(rows: Iterator[Any]) -> Iterator[bytes]:
        yield str(next(rows)).encode()
        administrator = connect_postgres(settings.postgres_connection, "test")
        with administrator, administrator.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        administrator.close()
        for row in rows:
            yield str(row).encode()

    monkeypatch.setattr(
        "stream_processors.queries.export.json_lines", lambda rows: end_of_connection(iter(rows))
    )
    with pytest.raises(psycopg2.Error):
        export_run(connection, "archive", "jsonl", path)
    assert [found.name for found in tmp_path.iterdir()] == ["tweets.jsonl"]
    assert path.read_text() == "precious"


def test_a_link_stays_one_and_what_it_names_is_replaced(
    connection: Connection, tmp_path: Path
) -> None:
    store(connection, some_tweets(20))
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to("target")
    target.write_text("old")
    assert exported(connection, "jsonl", link) == exported(connection, "jsonl", tmp_path / "x")
    assert link.is_symlink()
    assert not target.is_symlink()
    target.unlink()
    export_run(connection, "archive", "jsonl", link)
    assert target.read_bytes() == (tmp_path / "x").read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_pipe_is_written_to_and_stays_one(
    connection: Connection, tmp_path: Path, form: Format
) -> None:
    store(connection, some_tweets(20))
    expected = exported(connection, form, tmp_path / "x")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_bytes)
        export_run(connection, "archive", form, pipe)
        assert read.result(timeout=10) == expected
    assert pipe.is_fifo()
    assert {path.name for path in tmp_path.iterdir()} == {"x", "pipe"}


def test_a_file_that_cannot_be_written_is_named(connection: Connection, tmp_path: Path) -> None:
    store(connection, some_tweets(20))
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match=r"cannot write .*/file/x: Not a directory"):
        export_run(connection, "archive", "jsonl", tmp_path / "file" / "x")


def test_formats_that_do_not_go_together_are_wrong_calls(settings: Settings) -> None:
    parquet_to_stdout = run_command(settings, "export", "--run", "x", "--format", "parquet")
    assert (parquet_to_stdout.exit_code, "--output" in parquet_to_stdout.stderr) == (2, True)
    both = run_command(settings, "export", "--run", "x", "--format", "csv", "--ids-only")
    assert both.exit_code == 2


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "ids"])
def test_a_time_that_no_calendar_of_python_has_breaks_no_export(
    connection: Connection, tmp_path: Path, form: Format
) -> None:
    store(connection, some_tweets(3))
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE tweets SET edited_at = '10000-01-01' WHERE tweet_id = '10000'")
        cursor.execute("UPDATE scores SET scored_at = '0044-03-15 BC' WHERE root_id = '10001'")
    content = exported(connection, form, tmp_path / form)
    if form == "jsonl":
        rows = {row["tweet_id"]: row for row in map(json.loads, content.splitlines())}
        assert rows["10000"]["edited_at"].startswith("2080")
        assert rows["10001"]["scored_at"].startswith("2006")
        assert rows["10002"]["edited_at"] is None
