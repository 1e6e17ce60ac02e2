"""Runs are listed and deleted, whole."""

import json
from collections import Counter

import pytest
from msgspec.structs import replace
from psycopg2 import sql

from schemas.codec import Reason
from schemas.known_runs import UnknownRun
from schemas.settings import Settings
from schemas.transport.dead_letters import SourcePosition, dead_letter
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.time_windows import parse_window
from stream_processors.retention.run_deletion import RunIsBusy, delete_run
from tests.integration.reading import NOW, cached, run_command, some_tweets
from tests.integration.storing import arrived_now, store
from tests.unit.examples import deleted


def test_runs_are_listed_with_their_figures(settings: Settings, connection: Connection) -> None:
    assert json.loads(run_command(settings, "runs", "list", "--json").stdout) == {"runs": []}
    tweets = some_tweets(30)
    store(connection, tweets)
    letter = dead_letter(
        run="archive",
        stage="replay",
        reason=Reason.NOT_JSON,
        detail="",
        headers=[],
        key=None,
        value=b"{",
        position=SourcePosition("file:x", 0, 1),
    )
    store(connection, [deleted("10001", run="archive"), deleted("77", run="archive")], [letter])
    (listed,) = json.loads(run_command(settings, "runs", "list", "--json").stdout)["runs"]
    assert (listed["run"], listed["kind"], listed["tweets"]) == ("archive", "replay", 29)
    assert (listed["deletions"], listed["dead_letters"]) == (2, 1)
    rest = Counter(tweet.score.label for tweet in tweets if tweet.tweet_id != "10001")
    assert listed["labels"] == rest
    assert listed["changed_at"] is not None
    assert "archive" in run_command(settings, "runs", "list").stdout


def rows_about(connection: Connection, run: str) -> int:
    tables = (
        "runs",
        "tweets",
        "scores",
        "rollups",
        "hashtag_rollups",
        "tombstones",
        "dead_letters",
        "replay_files",
        "labels",
    )
    with connection, connection.cursor() as cursor:
        total = 0
        for table in tables:
            statement = sql.SQL("SELECT count(*) FROM {} WHERE run = %s")
            cursor.execute(statement.format(sql.Identifier(table)), (run,))
            total += cursor.fetchall()[0][0]
    return total


def test_a_deleted_run_is_gone_whole_and_others_stay(
    settings: Settings, connection: Connection
) -> None:
    for run in ("kept", "archive"):
        store(connection, [replace(tweet, label="calm") for tweet in some_tweets(20, run=run)])
    store(connection, [deleted("10001", run="archive")])
    kept = rows_about(connection, "kept")
    cached(settings).write(aggregates_of(connection, "archive", [parse_window("all")], NOW))
    result = run_command(settings, "runs", "delete", "archive", "--yes")
    assert result.exit_code == 0, result.output
    assert rows_about(connection, "archive") == 0
    assert rows_about(connection, "kept") == kept
    assert cached(settings).read("archive", "all") is None


def test_events_from_before_a_deletion_stay_away_and_later_ones_count(
    connection: Connection,
) -> None:
    tweets = some_tweets(10)
    store(connection, tweets)
    delete_run(connection, "archive")
    store(connection, tweets)
    assert rows_about(connection, "archive") == 0
    store(connection, arrived_now(tweets))
    (found,) = aggregates_of(connection, "archive", [parse_window("all")], NOW)
    assert found.tweets == 10


def test_a_replay_that_was_noted_but_never_stored_can_be_deleted(connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO replay_files (run, file_sha256, file_name) VALUES ('early', 'x', 'x')"
        )
    delete_run(connection, "early")
    assert rows_about(connection, "early") == 0
    with pytest.raises(UnknownRun):
        delete_run(connection, "early")


def test_a_deletion_that_gets_no_locks_says_so_and_deletes_nothing(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    before = rows_about(connection, "archive")
    reader = connect_postgres(settings.postgres_connection, "reader")
    try:
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tweets WHERE run = 'archive'")
            with pytest.raises(RunIsBusy, match="nothing was deleted"):
                delete_run(connection, "archive", attempts=1)
    finally:
        reader.close()
    assert rows_about(connection, "archive") == before


def test_nothing_is_deleted_without_a_yes_and_live_needs_more_than_that(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(1, run="live"))
    unasked = run_command(settings, "runs", "delete", "live", "--really-live")
    assert unasked.exit_code == 2
    assert "--yes" in unasked.stderr
    refused = run_command(settings, "runs", "delete", "live", "--yes")
    assert refused.exit_code == 1
    assert "--really-live" in str(refused.exception)
    assert rows_about(connection, "live") > 0
    assert run_command(settings, "runs", "delete", "live", "--yes", "--really-live").exit_code == 0
    assert rows_about(connection, "live") == 0


def test_nobody_is_asked_about_a_run_that_there_is_not(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(1))
    refused = run_command(settings, "runs", "delete", "archvie")
    assert refused.exit_code == 1
    assert "there is no run 'archvie'; there are archive" in str(refused.exception)
