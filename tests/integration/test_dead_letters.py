"""The dead-letter tools on real Kafka and PostgreSQL, called as a person calls them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas.codec import Reason, encode
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORED, SINK_GROUP
from schemas.transport.dead_letters import (
    MAX_KEPT_BYTES,
    MAX_KEY_BYTES,
    SourcePosition,
    dead_letter,
)
from schemas.transport.group_lag import GroupLag
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.redrives import Redrive, redriven
from stream_processors.dead_letters.cli import dead_letters
from tests.conditions import wait_until
from tests.integration.storing import store as store_directly
from tests.integration.test_score import messages, publish_raw, running_score
from tests.integration.test_sink import publish, running_sink
from tests.stack import process_environment
from tests.unit.examples import deleted, scored_tweet

BAD = scored_tweet(text="refuse me")


@pytest.fixture
def database(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings.postgres_connection, "test")
    connection.autocommit = True
    yield connection
    connection.close()


def call(settings: Settings, *arguments: str) -> Result:
    """Call the command with the settings of this test."""
    return CliRunner(env=process_environment(settings)).invoke(
        dead_letters, arguments, standalone_mode=False
    )


def document(settings: Settings, *arguments: str) -> Any:
    result = call(settings, *arguments, "--json")
    assert result.exception is None, result.output
    return json.loads(result.stdout)


def letters(settings: Settings) -> list[tuple[str, str, int, str]]:
    """Return status, stage, redrives and reason of each letter, oldest first."""
    found = document(settings, "list")["dead_letters"][::-1]
    return [(row["status"], row["stage"], row["redrives"], row["reason"]) for row in found]


def execute(database: Connection, statement: str) -> list[tuple[Any, ...]]:
    with database.cursor() as cur:
        cur.execute(statement)
        return cur.fetchall() if cur.description else []


def refuse(database: Connection) -> None:
    execute(database, "ALTER TABLE tweets ADD CONSTRAINT refusal CHECK (text <> 'refuse me')")


def settle(settings: Settings) -> None:
    """Wait until the sink has read all there is, also what it published itself."""
    topics = [settings.names.topic(topic) for topic in (SCORED, DEAD_LETTER)]
    lag = GroupLag(settings.kafka_connection, group=settings.names.group(SINK_GROUP), topics=topics)
    wait_until(lambda: lag.total() == 0 and lag.total() == 0, 60, "the sink to commit everything")


def test_a_mended_fault_lets_a_redriven_tweet_pass(
    settings: Settings, database: Connection
) -> None:
    refuse(database)
    with running_sink(settings):
        publish(settings, [BAD, scored_tweet(tweet_id="800000000000000001")])
        wait_until(lambda: letters(settings), 60, "the dead letter")
        assert document(settings, "redrive", "--stage", "sink", "--dry-run")["redriven"] == [1]
        assert letters(settings) == [("new", "sink", 0, "refused-by-database")]
        execute(database, "ALTER TABLE tweets DROP CONSTRAINT refusal")
        report = document(settings, "redrive", "--reason", "refused-by-database")
        assert report == {"redriven": [1], "refused": [], "dry_run": False}
        wait_until(
            lambda: execute(database, "SELECT count(*) FROM tweets") == [(2,)], 60, "both rows"
        )
        settle(settings)
    assert letters(settings) == [("redriven", "sink", 1, "refused-by-database")]


def test_what_fails_again_is_the_same_letter_and_comes_back_three_times(
    settings: Settings, database: Connection
) -> None:
    refuse(database)
    with running_sink(settings):
        publish(settings, [BAD])
        wait_until(lambda: letters(settings), 60, "the dead letter")
        for count in (1, 2, 3):
            assert document(settings, "redrive", "1")["redriven"] == [1]
            expected = [("new", "sink", count, "refused-by-database")]
            wait_until(lambda expected=expected: letters(settings) == expected, 60, "its return")  # type: ignore[misc]
        report = document(settings, "redrive", "1")
        assert report["redriven"] == []
        assert "3 times" in report["refused"][0]["why"]
    # What the topic holds, read once more, changes nothing.
    execute(database, "DELETE FROM positions")
    with running_sink(settings):
        settle(settings)
    assert letters(settings) == [("new", "sink", 3, "refused-by-database")]


def test_a_link_that_somebody_else_made_counts_nothing_up(
    settings: Settings, database: Connection
) -> None:
    with running_sink(settings):
        publish(settings, [b"{"])
        settle(settings)
    ((source, partition, offset, timestamp_ms),) = execute(
        database,
        "SELECT source, source_partition, source_offset, source_timestamp_ms FROM dead_letters",
    )
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    for count in (1, 2, 1_000):
        forged = Redrive(
            source=source,
            partition=partition,
            offset=offset,
            timestamp_ms=timestamp_ms,
            run=None,
            count=count,
            signature="0" * 64,
        )
        publisher.publish(
            settings.names.topic(SCORED), key=None, value=b"[", headers=redriven([], forged)
        )
    publisher.confirm()
    with running_sink(settings):
        settle(settings)
    assert (
        letters(settings)
        == [("new", "sink", 0, "not-json")] + [("new", "sink", 0, "invalid-event")] * 3
    )


def test_a_kill_between_publishing_and_noting_repeats_a_tweet_and_nothing_else(
    settings: Settings, database: Connection
) -> None:
    refuse(database)
    with running_sink(settings):
        publish(settings, [BAD])
        wait_until(lambda: letters(settings), 60, "the dead letter")
        settle(settings)
    assert document(settings, "redrive", "1")["redriven"] == [1]
    # As a kill before the status was written leaves it.
    execute(database, "UPDATE dead_letters SET status = 'new', redrives = 0")
    assert document(settings, "redrive", "1")["redriven"] == [1]
    with running_sink(settings):
        settle(settings)
    assert letters(settings) == [("new", "sink", 1, "refused-by-database")]
    execute(database, "ALTER TABLE tweets DROP CONSTRAINT refusal")
    assert document(settings, "redrive", "1")["redriven"] == [1]
    with running_sink(settings):
        settle(settings)
    assert letters(settings) == [("redriven", "sink", 2, "refused-by-database")]
    assert execute(database, "SELECT text FROM tweets") == [("refuse me",)]


def test_a_letter_of_the_scoring_step_goes_back_untouched_and_stays_one_letter(
    settings: Settings, tmp_path: Path
) -> None:
    poison = b"\xff{\x00"
    with running_score(settings, tmp_path / "score.log"), running_sink(settings):
        publish_raw(settings, [poison, deleted()])
        wait_until(lambda: letters(settings), 60, "the dead letter")
        assert document(settings, "redrive", "1")["redriven"] == [1]
        wait_until(lambda: letters(settings) == [("new", "score", 1, "not-json")], 60, "its return")
    first, again = (m for m in messages(settings, RAW, 3) if m.value() == poison)
    assert again.key() == first.key()
    assert list(again.headers() or [])[:-1] == list(first.headers() or [])


def test_what_cannot_go_back_says_why(settings: Settings, database: Connection) -> None:
    def letter(source: str, value: bytes, offset: int, key: bytes | None = None) -> Any:
        return dead_letter(
            run="r",
            stage="replay",
            reason=Reason.NOT_JSON,
            detail="x",
            key=key,
            value=value,
            position=SourcePosition(source, 0, offset),
            headers=[],
        )

    raw = settings.names.topic(RAW)
    store_directly(
        database,
        [],
        [
            letter("file:" + "0" * 64, b"line", 1),
            letter(raw, b"x" * (MAX_KEPT_BYTES + 1), 1),
            letter("another.topic", b"x", 1),
            letter(raw, b"given up", 2),
            letter(raw, b"x", 3, key=b"x" * (MAX_KEY_BYTES + 1)),
        ],
    )
    call(settings, "discard", "4", "--note", "it is a test")
    report = document(settings, "redrive", "1", "2", "3", "4", "5")
    assert report["redriven"] == []
    reasons = [refusal["why"] for refusal in report["refused"]]
    parts = (
        "replay the file",
        "beginning",
        "not belong to this installation",
        "discarded",
        "key or its headers",
    )
    assert [part in reason for part, reason in zip(parts, reasons, strict=True)] == [True] * 5
    assert call(settings, "redrive", "1").return_value == 1
    assert document(settings, "show", "4")["note"] == "it is a test"
    assert document(settings, "discard", "--reason", "not-json")["discarded"] == [1, 2, 3, 5]


def test_letters_are_filtered_and_shown_without_acting_on_the_terminal(
    settings: Settings, database: Connection
) -> None:
    hostile = b"\x1b]0;owned\x07[bold]\xff"
    for number, (run, reason) in enumerate(
        [("one", Reason.NOT_JSON), ("one", Reason.TOO_LARGE), ("two", Reason.NOT_JSON)]
    ):
        letter = dead_letter(
            run=run,
            stage="score",
            reason=reason,
            detail=hostile.decode(errors="replace"),
            key=hostile,
            value=hostile,
            position=SourcePosition("tweets.raw", 0, number),
            headers=[("\x1b[1m", hostile)],
        )
        store_directly(database, [], [letter])

    def ids(*filters: str) -> list[int]:
        found = document(settings, "list", *filters)["dead_letters"]
        return [row["dead_letter_id"] for row in found]

    assert ids() == [3, 2, 1]
    assert ids("--run", "one", "--reason", "not-json") == [1]
    assert ids("--since", "1h", "--status", "new", "--limit", "1") == [3]
    assert ids("--until", "2020-01-01") == []
    assert ids("--run", "two", "--reason", "too-large") == []
    for command in ("list", "redrive", "discard"):
        assert "there is no run 'none'" in str(call(settings, command, "--run", "none").exception)
    for arguments in (("list",), ("show", "1")):
        output = call(settings, *arguments).stdout
        assert "\x1b" not in output
        assert "[bold]" in output.replace("\n", "")
    assert call(settings, "show", "1", "--raw").stdout_bytes == hostile
    assert "no dead letter 9" in str(call(settings, "show", "9").exception)


def test_nothing_is_redriven_or_discarded_without_being_named(settings: Settings) -> None:
    for arguments in (("redrive",), ("discard",), ("redrive", "1", "--run", "x")):
        assert "name dead letters" in str(call(settings, *arguments).exception)


def test_the_bytes_of_a_stored_value_are_those_of_the_message(
    settings: Settings, database: Connection
) -> None:
    refuse(database)
    with running_sink(settings):
        publish(settings, [BAD])
        wait_until(lambda: letters(settings), 60, "the dead letter")
    assert call(settings, "show", "1", "--raw").stdout_bytes == encode(BAD)
