"""The sink on real Kafka and PostgreSQL: each promise of the tables."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from schemas.codec import encode, headers_of, key_of
from schemas.events import LIVE, Event, Reference
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, SCORED, SINK_GROUP
from schemas.transport.group_lag import GroupLag
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.sink.sink_loop import Sink
from stream_processors.sink.sink_worker import make_sink
from tests.conditions import wait_until
from tests.unit.examples import deleted, scored_tweet

RECOUNT = """
    SELECT coalesce(sum(r.tweets), 0), (SELECT count(*) FROM tweets),
           coalesce(sum(r.confidence_micros), 0),
           (SELECT coalesce(sum(round(confidence * 1000000)), 0) FROM scores WHERE counts)
    FROM rollups AS r WHERE r.rule = '' AND r.granularity = %s
"""


def publish(settings: Settings, events: Sequence[Event | bytes]) -> None:
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    for event in events:
        topic = settings.names.topic(SCORED)
        if isinstance(event, bytes):
            publisher.publish(topic, key=None, value=event, headers=[])
        else:
            publisher.publish(
                topic, key=key_of(event), value=encode(event), headers=headers_of(event)
            )
    publisher.confirm()


def sink_of(settings: Settings, metrics: StageMetrics) -> Sink:
    return make_sink(
        settings,
        connect=lambda: connect_postgres(settings.postgres_connection, "test sink"),
        metrics=metrics,
        progress=Progress(time.monotonic, 60),
    )


@contextmanager
def running_sink(settings: Settings) -> Iterator[StageMetrics]:
    metrics, stop = StageMetrics("sink"), threading.Event()
    sink = sink_of(settings, metrics)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            sink.run(stop)
        except BaseException as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield metrics
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not failures


def store(settings: Settings, *batches: Sequence[Event | bytes]) -> None:
    """Publish batches one after the other, and wait until the sink has committed them all."""
    lag = sink_lag(settings)
    with running_sink(settings):
        for batch in batches:
            publish(settings, batch)
            wait_until(lambda: lag.total() == 0, 60, "the sink to commit everything")


@pytest.fixture
def database(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings.postgres_connection, "test")
    connection.autocommit = True
    yield connection
    connection.close()


def query(database: Connection, statement: str, *parameters: object) -> list[tuple[object, ...]]:
    with database.cursor() as cur:
        cur.execute(statement, parameters)
        return cur.fetchall()


def assert_rollups_equal_a_recount(database: Connection) -> None:
    for granularity in ("minute", "hour", "day"):
        [(tweets, rows, micros, recounted)] = query(database, RECOUNT, granularity)
        assert (tweets, micros) == (rows, recounted)


def tweets(database: Connection) -> dict[tuple[object, object], object]:
    return {
        (run, root): version
        for run, root, version in query(database, "SELECT run, root_id, version FROM tweets")
    }


def test_posts_edits_repeats_and_deletions_end_as_promised(
    settings: Settings, database: Connection
) -> None:
    first = scored_tweet(tweet_id="800000000000000000", hashtags=("tram",))
    edit = scored_tweet(
        "negative",
        tweet_id="800000000000000009",
        root_id="800000000000000000",
        version=1,
        edit_history=("800000000000000000", "800000000000000009"),
    )
    other = scored_tweet(tweet_id="800000000100000000", hashtags=("tram",))
    retweet = scored_tweet(
        tweet_id="800000000200000000",
        references=(Reference(kind="retweeted", tweet_id=other.tweet_id),),
    )
    gone = deleted(other.tweet_id)
    store(settings, [edit, first, other], [retweet, gone], [first, other, retweet, edit])
    assert tweets(database) == {("test", "800000000000000000"): 1}
    assert query(database, "SELECT label, counts FROM scores") == [("negative", True)]
    assert query(database, "SELECT * FROM hashtag_rollups") == []
    assert_rollups_equal_a_recount(database)


def test_what_postgresql_refuses_becomes_a_dead_letter_and_stops_nothing(
    settings: Settings, database: Connection
) -> None:
    with database.cursor() as cur:
        cur.execute("ALTER TABLE tweets ADD CONSTRAINT refusal CHECK (text <> 'refuse me')")
    good = [scored_tweet(tweet_id=str(800000000000000000 + n)) for n in range(20)]
    bad = [scored_tweet(tweet_id=str(800000000900000000 + n), text="refuse me") for n in range(3)]
    store(settings, [*good[:7], bad[0], *good[7:15], bad[1], bad[2], *good[15:]])
    assert len(tweets(database)) == len(good)
    letters = query(database, "SELECT run, stage, reason, status, value FROM dead_letters")
    assert {(run, stage, reason, status) for run, stage, reason, status, _ in letters} == {
        ("test", "sink", "refused-by-database", "new")
    }
    assert sorted(bytes(value) for *_, value in letters) == sorted(map(encode, bad))  # type: ignore[call-overload]
    assert_rollups_equal_a_recount(database)


def test_malformed_messages_become_dead_letters_once(
    settings: Settings, database: Connection
) -> None:
    malformed = [b"{", b"[]", b'{"type": "TweetScored"}', b"\xff\xfe"]
    store(settings, [*malformed, scored_tweet()])
    with database.cursor() as cur:
        cur.execute("DELETE FROM positions")
    store(settings, [])
    assert query(database, "SELECT count(*) FROM dead_letters") == [(len(malformed),)]
    assert len(tweets(database)) == 1


def test_forged_dead_letters_stop_nothing(settings: Settings, database: Connection) -> None:
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    for name in ("run", "murmur.errors.reason", "murmur.errors.stage", "__streams.errors.topic"):
        forged = [(name, b"\x00" + os.urandom(20_000).hex().encode())]
        publisher.publish(
            settings.names.topic(DEAD_LETTER), key=b"\xff", value=b"\x00", headers=forged
        )
    publisher.confirm()
    store(settings, [scored_tweet()])
    assert query(database, "SELECT count(*) FROM dead_letters") == [(4,)]
    assert len(tweets(database)) == 1


def test_a_restored_backup_is_refilled_from_the_topic(
    settings: Settings, database: Connection
) -> None:
    store(settings, [scored_tweet(tweet_id=str(800000000000000000 + n)) for n in range(30)])
    with database.cursor() as cur:
        cur.execute("TRUNCATE tweets, scores, rollups, hashtag_rollups, positions")
    with running_sink(settings):
        wait_until(lambda: len(tweets(database)) == 30, 60, "the rows to come back")
    assert_rollups_equal_a_recount(database)


def test_events_of_a_deleted_run_do_not_bring_it_back(
    settings: Settings, database: Connection
) -> None:
    store(settings, [scored_tweet(run="old"), scored_tweet(run="other")])
    with database.cursor() as cur:
        cur.execute("INSERT INTO deleted_runs VALUES ('old', %s)", (datetime.now(UTC),))
        cur.execute("TRUNCATE tweets, scores, rollups, hashtag_rollups, positions")
    again = scored_tweet(run="old", tweet_id="800000000000000777", received_at=datetime.now(UTC))
    store(settings, [again])
    assert tweets(database).keys() == {
        ("old", "800000000000000777"),
        ("other", "800000000000000000"),
    }


def test_live_tweets_lie_in_partitions_by_day_and_their_deletion_reaches_every_run(
    settings: Settings, database: Connection
) -> None:
    now = datetime.now(UTC)
    days = [
        scored_tweet(
            run=LIVE,
            tweet_id=str(800000000000000000 + n),
            posted_at=now - timedelta(days=3 - n),
            received_at=now,
        )
        for n in range(3)
    ]
    replayed = scored_tweet(run="replay", tweet_id=days[0].tweet_id)
    store(settings, [*days, replayed], [deleted(days[0].tweet_id, run=LIVE)])
    assert tweets(database).keys() == {(LIVE, day.root_id) for day in days[1:]}
    partitions = query(database, "SELECT tableoid::regclass::text FROM tweets ORDER BY day")
    names = [f"{day.posted_at:%Y%m%d}" for day in days[1:]]
    assert [str(name)[-8:] for (name,) in partitions] == names


def test_two_sinks_share_the_partitions_and_count_nothing_twice(
    settings: Settings, database: Connection
) -> None:
    events = [scored_tweet(tweet_id=str(800000000000000000 + n)) for n in range(2000)]
    with running_sink(settings), running_sink(settings):
        publish(settings, events[:1000])
        publish(settings, events)
        wait_until(lambda: len(tweets(database)) == len(events), 60, "all rows")
    assert_rollups_equal_a_recount(database)


def test_a_connection_that_breaks_is_opened_anew(settings: Settings, database: Connection) -> None:
    with running_sink(settings):
        publish(settings, [scored_tweet()])
        wait_until(lambda: len(tweets(database)) == 1, 60, "the first row")
        query(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'murmur test sink' AND datname = current_database()",
        )
        publish(settings, [scored_tweet(tweet_id="800000000000000001")])
        wait_until(lambda: len(tweets(database)) == 2, 60, "the second row")


def sink_lag(settings: Settings) -> GroupLag:
    """Return who knows the sink's lag."""
    topics = [settings.names.topic(topic) for topic in (SCORED, DEAD_LETTER)]
    return GroupLag(
        settings.kafka_connection, group=settings.names.group(SINK_GROUP), topics=topics
    )
