"""What a batch locks does not grow with the days and runs that are kept."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from schemas.events import LIVE, AuthorErased, ScoredEvent
from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.integration.test_live_days import assert_figures_equal_the_rows
from tests.integration.test_sink import query
from tests.unit.examples import RECEIVED_AT, deleted, scored_tweet

NOTE_LOCKS = """
    CREATE TABLE noted (locks bigint);
    CREATE FUNCTION note_locks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO noted SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid();
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER note AFTER INSERT ON tombstones DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION note_locks();
    CREATE CONSTRAINT TRIGGER note AFTER INSERT ON live_roots DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION note_locks();
"""


def locks_of(connection: Connection, batch: Sequence[ScoredEvent]) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM noted")
    store(connection, batch)
    ((most,),) = query(connection, "SELECT max(locks) FROM noted")
    assert isinstance(most, int)
    return most


def fill(connection: Connection, months: range, runs: range) -> None:
    first = datetime(2008, 1, 15, tzinfo=UTC)
    tweets = [
        scored_tweet(run=LIVE, tweet_id=str(1_000 + month), posted_at=first + timedelta(30) * month)
        for month in months
    ]
    store(connection, tweets)
    store(connection, [scored_tweet(run=f"run-{number}", tweet_id="9") for number in runs])


def test_posts_deletions_and_edits_lock_as_much_with_many_as_with_few(
    connection: Connection,
) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(NOTE_LOCKS)
    fill(connection, range(5), range(2))
    erased = AuthorErased(run=LIVE, author_id="7", received_at=RECEIVED_AT, source="test")

    def batches(number: int) -> list[list[ScoredEvent]]:
        when = datetime(2008, 1, 15, tzinfo=UTC)
        post = scored_tweet(run=LIVE, tweet_id=f"5{number}", posted_at=when)
        edit = scored_tweet(
            "negative",
            run=LIVE,
            tweet_id=f"6{number}",
            root_id=f"5{number}",
            version=1,
            edit_history=(f"5{number}", f"6{number}"),
            posted_at=when,
        )
        other = scored_tweet(run=LIVE, tweet_id=f"7{number}", posted_at=when)
        return [[post], [edit, other], [deleted(f"6{number}", LIVE), erased]]

    few = [locks_of(connection, batch) for batch in batches(1)]
    fill(connection, range(5, 60), range(2, 20))
    many = [locks_of(connection, batch) for batch in batches(2)]
    # One or two are of the catalogues, whenever those are read anew.
    assert all(now <= before + 5 for now, before in zip(many, few, strict=True)), (few, many)
    assert max(few) < 150
    assert_figures_equal_the_rows(connection)


def test_thousands_of_old_days_have_few_partitions_and_let_a_deletion_pass(
    connection: Connection,
) -> None:
    first = datetime(2010, 1, 1, tzinfo=UTC)
    store(
        connection,
        [
            scored_tweet(
                run=LIVE, tweet_id=str(10_000 + day), posted_at=first + timedelta(days=day)
            )
            for day in range(2_000)
        ],
    )
    partitions = "SELECT count(*) FROM pg_class WHERE relname ~ '^(tweets|scores)_[0-9]+_[0-9]+$'"
    assert query(connection, partitions) == [(2 * 66,)]
    store(connection, [deleted("10500", LIVE)])
    assert query(connection, "SELECT count(*) FROM tweets WHERE run = 'live'") == [(1_999,)]
    assert_figures_equal_the_rows(connection)
