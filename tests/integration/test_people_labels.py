"""The audit view and its order in PostgreSQL."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

import schemas
from schemas.people_labels import audit_rank
from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.unit.examples import RECEIVED_AT, scored_tweet


def test_postgres_ranks_tweets_as_python_does(connection: Connection) -> None:
    ids = ["1", "20", "0af3", "1234567890123456789"]
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT audit_rank(id) FROM unnest(%s) AS id", (ids,))
        assert [row[0] for row in cursor] == [audit_rank(id_) for id_ in ids]


def test_the_level_of_a_tweet_says_how_low_its_rank_is(connection: Connection) -> None:
    ids = [str(number) for number in range(2_000)]
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT audit_level(id) FROM unnest(%s) AS id", (ids,))
        assert [row[0] for row in cursor] == [60 - audit_rank(id_).bit_length() for id_ in ids]


def test_an_audit_is_the_majority_of_blind_first_labels(connection: Connection) -> None:
    rows = [
        ("1", "ann", "audit", 0, "positive", False),
        ("1", "bob", "audit", 0, "positive", False),
        ("1", "eve", "audit", 0, "negative", False),
        ("2", "ann", "audit", 0, "positive", False),
        ("2", "bob", "audit", 0, "negative", False),
        ("3", "ann", "audit", 0, "positive", True),
        ("4", "ann", "audit", 0, None, False),
        ("5", "ann", "queue", 0, "positive", False),
        ("6", "ann", "audit", 0, "neutral", False),
        ("6", "ann", "audit", 1, "positive", False),
    ]
    with connection, connection.cursor() as cursor:
        for root_id, labeller, origin, repeat, label, seen in rows:
            cursor.execute(
                "INSERT INTO labels VALUES ('r', %s, 0, %s, %s, %s, %s, %s, %s)",
                (root_id, labeller, origin, repeat, label, seen, datetime.now(UTC)),
            )
        cursor.execute("SELECT root_id, label FROM audits ORDER BY root_id")
        assert cursor.fetchall() == [("1", "positive"), ("6", "neutral")]


def test_labels_that_archives_brought_before_become_imports(connection: Connection) -> None:
    store(connection, [replace(scored_tweet(tweet_id="1"), label="calm"), scored_tweet()])
    migration = Path(schemas.__file__).parent / "migrations" / "0017.archive_labels.sql"
    for _ in range(2):
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT run, root_id, version, labeller, origin, repeat, label, answer_seen,"
                " labelled_at FROM labels"
            )
            rows = cursor.fetchall()
            assert rows == [
                ("test", "1", 0, "archive", "import", 0, "calm", False, RECEIVED_AT),
            ]
            cursor.execute("DELETE FROM labels")
            cursor.execute(migration.read_text())
