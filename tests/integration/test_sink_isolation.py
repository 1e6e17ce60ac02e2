"""One message that can never be stored stops nothing, whatever raises the fault."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from schemas.codec import encode
from schemas.events import LIVE
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.integration.test_sink import query, store, tweets
from tests.unit.examples import scored_tweet

LAST_DAY = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


@pytest.fixture
def database(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings.postgres_connection, "test")
    connection.autocommit = True
    yield connection
    connection.close()


def test_a_fault_that_python_raises_is_one_tweets_alone(
    settings: Settings, database: Connection
) -> None:
    """Of a stored row's time: psycopg2 raises ValueError for a year beyond Python's."""
    good = [scored_tweet(tweet_id=str(100 + number)) for number in range(9)]
    bad = scored_tweet(tweet_id="99")
    store(settings, [bad, good[0]])
    with database.cursor() as cur:
        cur.execute("UPDATE tweets SET posted_at = '10000-01-01' WHERE root_id = '99'")
    store(settings, [*good[1:4], bad, *good[4:]])
    assert query(database, "SELECT count(*) FROM tweets") == [(len(good) + 1,)]
    letters = query(database, "SELECT stage, detail, value FROM dead_letters")
    assert [(stage, detail, bytes(value)) for stage, detail, value in letters] == [  # type: ignore[call-overload]
        ("sink", "ValueError", encode(bad))
    ]


def test_a_tweet_of_the_last_of_all_days_stops_nothing(
    settings: Settings, database: Connection
) -> None:
    good = [scored_tweet(run=LIVE, tweet_id=str(100 + number)) for number in range(3)]
    bad = scored_tweet(run=LIVE, tweet_id="99", posted_at=LAST_DAY, received_at=LAST_DAY)
    store(settings, [*good[:2], bad, good[2]])
    assert len(tweets(database)) == len(good)
    assert query(database, "SELECT reason FROM dead_letters") == [("implausible-time",)]


def test_a_dead_letter_that_cannot_be_stored_is_stored_by_its_place(
    settings: Settings, database: Connection
) -> None:
    with database.cursor() as cur:
        cur.execute("ALTER TABLE dead_letters ADD CONSTRAINT refusal CHECK (detail <> 'refuse me')")
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    for detail in ("fine", "refuse me", "fine as well"):
        publisher.publish(
            settings.names.topic(DEAD_LETTER),
            key=b"key",
            value=detail.encode(),
            headers=[("__streams.errors.message", detail.encode()), ("run", b"test")],
        )
    publisher.confirm()
    store(settings, [scored_tweet()])
    found = query(database, "SELECT detail, run, reason, value FROM dead_letters ORDER BY 1")
    assert [(*rest, bytes(value)) for *rest, value in found] == [  # type: ignore[call-overload]
        ("a dead letter: CheckViolation", "test", "refused-by-database", b"refuse me"),
        ("fine", "test", "unknown", b"fine"),
        ("fine as well", "test", "unknown", b"fine as well"),
    ]
    assert len(tweets(database)) == 1


def test_a_link_to_a_dead_letter_that_fits_no_index_is_none(
    settings: Settings, database: Connection
) -> None:
    link = {
        "source": "x",
        "partition": 0,
        "offset": 1,
        "timestamp_ms": 0,
        "run": os.urandom(50_000).hex(),
        "count": 1,
    }
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    publisher.publish(
        settings.names.topic(DEAD_LETTER),
        key=None,
        value=b"value",
        headers=[("murmur.redrive", msgspec.json.encode(link))],
    )
    publisher.confirm()
    store(settings, [scored_tweet()])
    assert query(database, "SELECT run, redrives FROM dead_letters") == [(None, 0)]
    assert len(tweets(database)) == 1
