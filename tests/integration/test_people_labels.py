"""The audit view and its order in PostgreSQL."""

from datetime import UTC, datetime

from schemas.people_labels import audit_rank
from schemas.transport.postgres import Connection


def test_postgres_ranks_tweets_as_python_does(connection: Connection) -> None:
    ids = ["1", "20", "0af3", "1234567890123456789"]
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT audit_rank(id) FROM unnest(%s) AS id", (ids,))
        assert [row[0] for row in cursor] == [audit_rank(id_) for id_ in ids]


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
