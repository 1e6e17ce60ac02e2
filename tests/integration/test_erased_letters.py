"""A deletion reaches into the dead letters, whichever comes first."""

from typing import Any

import pytest

from schemas.codec import Reason
from schemas.events import AuthorErased, TweetDeleted
from schemas.settings import Settings
from schemas.transport.dead_letters import DeadLetter, SourcePosition, dead_letter
from schemas.transport.postgres import Connection
from stream_processors.dead_letters.letters import Selection
from stream_processors.dead_letters.redrive import redrive
from tests.integration.storing import store
from tests.unit.examples import RECEIVED_AT

TWEET = "1859500000000000000"
LINE = b'{"data":{"id":"%s","author_id":"12","text":"half a l' % TWEET.encode()


def letter(value: bytes, run: str = "live", offset: int = 1) -> DeadLetter:
    return dead_letter(
        run=run,
        stage="stream",
        reason=Reason.NOT_JSON,
        detail="",
        key=None,
        value=value,
        headers=[],
        position=SourcePosition("tweets.raw", 0, offset),
    )


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
