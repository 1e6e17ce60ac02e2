"""In `live` a root id is one tweet, whatever day it comes with."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from deploy.installation.migrations import apply_migrations
from schemas.events import LIVE, MatchedRule, TweetScored
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.conditions import wait_until
from tests.integration.storing import store
from tests.integration.test_sink import query
from tests.recount import (
    differing_hashtag_rollups,
    differing_language_rollups,
    differing_rollups,
)
from tests.unit.examples import deleted, scored_tweet

FIRST = datetime(2016, 11, 17, 12, tzinfo=UTC)


def on_day(day: int, label: str = "positive", root: str = "10") -> TweetScored:
    return scored_tweet(
        label,
        run=LIVE,
        tweet_id=root,
        posted_at=FIRST + timedelta(days=day),
        hashtags=("tram",),
    )


def days(connection: Connection) -> list[tuple[object, ...]]:
    return query(
        connection, "SELECT root_id, day - '2016-11-17', version FROM tweets ORDER BY 1, 2"
    )


def assert_figures_equal_the_rows(connection: Connection) -> None:
    assert differing_rollups(connection) == []
    assert differing_hashtag_rollups(connection) == []
    assert differing_language_rollups(connection) == []


def test_it_counts_once_and_a_deletion_finds_it(connection: Connection) -> None:
    store(connection, [on_day(0)])
    store(connection, [on_day(30), on_day(30, root="20"), on_day(31, root="20")])
    store(connection, [on_day(-500)])
    store(connection, [on_day(500, root="20")])
    assert days(connection) == [("10", 0, 0), ("20", 30, 0)]
    assert_figures_equal_the_rows(connection)
    store(connection, [deleted("10", LIVE), on_day(7)])
    assert days(connection) == [("20", 30, 0)]
    assert_figures_equal_the_rows(connection)


def test_an_edit_on_another_day_replaces_it_on_its_own(connection: Connection) -> None:
    store(connection, [on_day(0)])
    edit = scored_tweet(
        "negative",
        run=LIVE,
        tweet_id="11",
        root_id="10",
        version=1,
        edit_history=("10", "11"),
        posted_at=FIRST + timedelta(days=9),
    )
    store(connection, [edit])
    assert days(connection) == [("10", 0, 1)]
    assert query(connection, "SELECT label, counts FROM scores") == [("negative", True)]
    assert_figures_equal_the_rows(connection)


def test_two_sinks_at_once_store_one(settings: Settings, connection: Connection) -> None:
    store(connection, [on_day(0, root="1"), on_day(5, root="2")])
    other = connect_postgres(settings.postgres_connection, "test")
    try:
        with other.cursor() as cur:
            # As a sink does it that has not committed yet.
            cur.execute("INSERT INTO live_roots VALUES ('10', '2016-11-22')")
        with ThreadPoolExecutor(1) as executor:
            storing = executor.submit(store, connection, [on_day(0)])
            wait_until(lambda: _waits(settings), 60, "the second to wait for the first")
            other.rollback()
            storing.result(timeout=30)
    finally:
        other.close()
    assert ("10", 0, 0) in days(connection)


def _waits(settings: Settings) -> bool:
    connection = connect_postgres(settings.postgres_connection, "test looks")
    try:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return query(connection, waiting) != [(0,)]
    finally:
        connection.close()


def test_rows_that_an_older_release_stored_twice_are_taken_back_with_their_figures(
    settings: Settings, connection: Connection
) -> None:
    edit = scored_tweet(
        "negative",
        run=LIVE,
        tweet_id="31",
        root_id="30",
        version=1,
        edit_history=("30", "31"),
        posted_at=FIRST + timedelta(days=1),
        rules=(MatchedRule(tag="rain"),),
    )
    store(connection, [on_day(0), on_day(0, root="20"), on_day(5, root="30")])
    execute(connection, "DELETE FROM live_roots")
    store(connection, [on_day(1, "negative"), edit, on_day(3, root="90")])
    assert len(days(connection)) == 6
    execute(connection, "DROP TABLE live_roots")
    execute(connection, "DELETE FROM _yoyo_migration WHERE migration_id = '0009.live_roots'")
    assert apply_migrations(settings.postgres_connection) == ["0009.live_roots"]
    assert days(connection) == [("10", 0, 0), ("20", 0, 0), ("30", 1, 1), ("90", 3, 0)]
    assert query(connection, "SELECT count(*) FROM scores") == [(4,)]
    assert query(
        connection, "SELECT count(*) FROM live_roots JOIN tweets USING (root_id, day)"
    ) == [(4,)]
    assert_figures_equal_the_rows(connection)
    store(connection, [on_day(9), on_day(9, root="30"), deleted("20", LIVE)])
    assert days(connection) == [("10", 0, 0), ("30", 1, 1), ("90", 3, 0)]
    assert_figures_equal_the_rows(connection)


def execute(connection: Connection, statement: str) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
