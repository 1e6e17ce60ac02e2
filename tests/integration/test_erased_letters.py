"""A deletion reaches into the dead letters, whichever comes first."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.installation.migrations import apply_migrations
from schemas.codec import Reason
from schemas.events import AuthorErased, TweetDeleted
from schemas.made_ids import made_id
from schemas.settings import Settings
from schemas.transport.dead_letters import DeadLetter, SourcePosition, dead_letter
from schemas.transport.postgres import Connection
from stream_processors.dead_letters.letters import Selection, count_letters
from stream_processors.dead_letters.redrive import redrive
from tests.integration.storing import store
from tests.unit.examples import RECEIVED_AT

TWEET = "1859500000000000000"
LINE = b'{"data":{"id":"%s","author_id":"12","text":"half a l' % TWEET.encode()


def letter(
    value: bytes, run: str | None = "live", offset: int = 1, key: bytes | None = None
) -> DeadLetter:
    return dead_letter(
        run=run,
        stage="stream",
        reason=Reason.NOT_JSON,
        detail="",
        key=key,
        value=value,
        headers=[],
        position=SourcePosition("tweets.raw", 0, offset),
    )


def in_file(value: bytes, content: str, line: int, place: int = 0) -> DeadLetter:
    position = SourcePosition(f"file:{content}", place, line, line)
    return replace(letter(value, run="a"), position=position)


def deleted(run: str = "live") -> TweetDeleted:
    return TweetDeleted(run=run, tweet_id=TWEET, received_at=RECEIVED_AT, source="x-v2")


def letters(connection: Connection) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cur:
        cur.execute("SELECT value IS NULL, status FROM dead_letters ORDER BY source_offset")
        return cur.fetchall()


def test_a_deleted_tweet_is_gone_from_the_letter_that_held_it_and_no_other(
    connection: Connection,
) -> None:
    store(connection, [], [letter(LINE), letter(b'{"data":{"id":"1859511111111111111"', offset=2)])
    store(connection, [deleted()])
    assert letters(connection) == [(True, "discarded"), (False, "new")]


@pytest.mark.parametrize("together", [True, False])
def test_a_letter_that_comes_later_keeps_no_content_either(
    together: bool, connection: Connection
) -> None:
    if together:
        store(connection, [deleted()], [letter(LINE)])
    else:
        store(connection, [deleted()])
        store(connection, [], [letter(LINE)])
    assert letters(connection) == [(True, "discarded")]


HEXADECIMAL = made_id("c0ffee", 7)
SENTIMENT140 = b'"4","1467810369","Mon Apr 06 22:19:45 PDT 2009","NO_QUERY","_x_","is 12345 up'


@pytest.mark.parametrize(
    ("held", "gone", "stays"),
    [
        (letter(SENTIMENT140), "1467810369", "12345"),
        (letter(b"20\t1467810369\ttext"), "20", "146781036"),
        (letter(b'{"run":"a","tweet_id":"%s","te' % HEXADECIMAL.encode()), HEXADECIMAL, "abc"),
        (letter(b"\xff", key=HEXADECIMAL.encode()), HEXADECIMAL, "ff"),
        (in_file(b"a line without an id", "c0ffee", 7), HEXADECIMAL, made_id("c0ffee", 8)),
        (in_file(b"a page", "c0ffee", 7, 3), made_id("c0ffee", 7, 3), made_id("c0ffee", 7, 2)),
    ],
    ids=["sentiment140", "short", "hash in JSON", "key", "line", "place in a page"],
)
def test_short_and_hexadecimal_ids_are_found(
    held: DeadLetter, gone: str, stays: str, connection: Connection
) -> None:
    def removal(tweet_id: str) -> TweetDeleted:
        return TweetDeleted(run="live", tweet_id=tweet_id, received_at=RECEIVED_AT, source="x-v2")

    store(connection, [], [held])
    store(connection, [removal(stays)])
    assert letters(connection) == [(False, "new")]
    store(connection, [removal(gone)])
    assert letters(connection) == [(True, "discarded")]


def test_letters_of_older_releases_name_their_short_ids_too(
    settings: Settings, connection: Connection
) -> None:
    hexadecimal = b'{"run":"a","tweet_id":"%s","te' % HEXADECIMAL.encode()
    store(
        connection,
        [TweetDeleted(run="live", tweet_id="20", received_at=RECEIVED_AT, source="x-v2")],
        [letter(SENTIMENT140, offset=2), letter(hexadecimal, offset=3), letter(b"{", offset=4)],
    )
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE dead_letters SET named_ids = '{}'")
        cur.execute("INSERT INTO tombstones VALUES ('live', 'tweet', '1467810369')")
        cur.execute("INSERT INTO tombstones VALUES ('live', 'tweet', %s)", (HEXADECIMAL,))
        cur.execute(
            "DELETE FROM _yoyo_migration WHERE migration_id = '0011.short_ids_in_dead_letters'"
        )
    assert apply_migrations(settings.postgres_connection) == ["0011.short_ids_in_dead_letters"]
    assert letters(connection) == [(True, "discarded"), (True, "discarded"), (False, "new")]


def test_an_erased_account_is_gone_from_letters_by_its_short_id_too(
    connection: Connection,
) -> None:
    other = b'{"data":{"id":"1859511111111111111","author_id":"123","text":"12"}}'
    store(connection, [], [letter(LINE), letter(other, offset=2)])
    erased = AuthorErased(run="live", author_id="12", received_at=RECEIVED_AT, source="x-v2")
    store(connection, [erased])
    assert letters(connection) == [(True, "discarded"), (False, "new")]


def test_a_deletion_in_a_replay_concerns_the_letters_of_that_run_alone(
    connection: Connection,
) -> None:
    store(connection, [], [letter(LINE), letter(LINE, run="spring", offset=2)])
    store(connection, [deleted("spring")])
    assert letters(connection) == [(False, "new"), (True, "discarded")]


def test_what_was_erased_is_not_redriven(connection: Connection, settings: Settings) -> None:
    store(connection, [deleted()], [letter(LINE)])
    report = redrive(connection, Selection(), names=settings.names, publisher=None)
    assert [refused.why for refused in report.refused] == ["it was discarded"]


def test_the_letters_of_no_run_are_chosen_apart(connection: Connection) -> None:
    store(connection, [], [letter(b"{", None, 1), letter(b"{", None, 2), letter(b"{", "live", 3)])
    with connection, connection.cursor() as cur:
        assert count_letters(cur, Selection(run="")) == 2
        assert count_letters(cur, Selection(run="live")) == 1
        assert count_letters(cur, Selection()) == 3
