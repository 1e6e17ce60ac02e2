"""Other people's tools see views, as a role that sees nothing else."""

from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extras import Json

from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.unit.examples import scored_tweet

ANSWERS = {"10": "positive", "20": "positive", "30": "negative", "40": "neutral"}
PEOPLE = {"10": "positive", "20": "negative", "30": "negative", "40": "neutral"}


def read(connection: Connection, query: str | sql.Composable) -> list[tuple[Any, ...]]:
    """Return the rows that the reading role gets."""
    with connection, connection.cursor() as cur:
        cur.execute("SET LOCAL ROLE murmur_read")
        cur.execute(query)
        return cur.fetchall()


def first_of(schema: str, table: str) -> sql.Composable:
    return sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, table))


@pytest.fixture
def audited(connection: Connection) -> Connection:
    """A run whose tweets people have labelled too."""
    store(
        connection, [scored_tweet(label, run="archive", tweet_id=t) for t, label in ANSWERS.items()]
    )
    with connection, connection.cursor() as cur:
        for tweet_id, label in PEOPLE.items():
            cur.execute(
                "INSERT INTO labels (run, root_id, version, labeller, origin, label, answer_seen,"
                " labelled_at) VALUES ('archive', %s, 0, 'anna', 'audit', %s, false, now())",
                (tweet_id, label),
            )
    return connection


def test_the_role_reads_every_view_and_no_table(connection: Connection) -> None:
    views = [
        name
        for (name,) in read(
            connection,
            "SELECT table_name FROM information_schema.views WHERE table_schema = 'reading'",
        )
    ]
    assert len(views) > 10
    for view in views:
        read(connection, first_of("reading", view))
    for table in ("tweets", "labels", "secrets", "api_keys", "dead_letters"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            read(connection, first_of("public", table))


def test_no_view_has_a_secret_or_the_content_of_a_dead_letter(connection: Connection) -> None:
    columns = read(
        connection,
        "SELECT table_name || '.' || column_name FROM information_schema.columns"
        " WHERE table_schema = 'reading' AND column_name ~ '(^value$|headers|key|secret|labeller)'",
    )
    assert columns == [("alarms.value",)]


def test_every_view_says_what_it_is_for(connection: Connection) -> None:
    assert (
        read(
            connection,
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'reading'::regnamespace"
            " AND c.relkind = 'v' AND obj_description(c.oid) IS NULL",
        )
        == []
    )


def test_counts_are_those_of_the_run(audited: Connection) -> None:
    counted = read(
        audited,
        "SELECT label, sum(tweets)::int FROM reading.day_counts WHERE run = 'archive'"
        " AND rule IS NULL GROUP BY 1 ORDER BY 1",
    )
    assert counted == [("negative", 1), ("neutral", 1), ("positive", 2)]


def test_each_class_has_what_people_and_the_model_say_of_it(audited: Connection) -> None:
    classes = read(
        audited,
        "SELECT label, people_say::int, model_says::int, both_say::int FROM reading.class_quality"
        " WHERE run = 'archive' AND origin = 'audit' ORDER BY label",
    )
    assert classes == [("negative", 2, 1, 1), ("neutral", 1, 1, 1), ("positive", 1, 2, 1)]
    wrong = read(
        audited,
        "SELECT person_label, model_label, tweets::int FROM reading.confusion"
        " WHERE person_label <> model_label",
    )
    assert wrong == [("negative", "positive", 1)]


def test_an_evaluation_is_read_by_class_and_as_a_matrix(connection: Connection) -> None:
    figures = {
        "figures": {"accuracy": 0.75, "macro_recall": 0.75},
        "classes": [
            {"label": "negative", "support": 2, "precision": 1.0, "recall": 0.5, "f1": 0.67},
            {"label": "positive", "support": 2, "precision": 0.67, "recall": None, "f1": 0.8},
        ],
        "confusion": [[1, 1], [0, 2]],
    }
    with connection, connection.cursor() as cur:
        cur.execute(
            "INSERT INTO evaluations (state, data_set, model_name, model_version, model_sha256,"
            " texts, figures) VALUES ('done', 'a file', 'a', '1', 'abc', 4, %s)",
            (Json(figures),),
        )
    assert read(connection, "SELECT data_set, accuracy, macro_f1 FROM reading.evaluations") == [
        ("a file", 0.75, None)
    ]
    assert read(connection, "SELECT label, recall FROM reading.evaluation_classes ORDER BY 1") == [
        ("negative", 0.5),
        ("positive", None),
    ]
    confusion = "SELECT person_label, model_label, texts FROM reading.evaluation_confusion"
    assert read(connection, f"{confusion} ORDER BY 1, 2") == [
        ("negative", "negative", 1),
        ("negative", "positive", 1),
        ("positive", "negative", 0),
        ("positive", "positive", 2),
    ]
