"""`murmur init`: topics and tables, checked and made."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import psycopg2
import pytest
from confluent_kafka.admin import AdminClient
from psycopg2 import sql
from pydantic import SecretStr

import schemas
from deploy.installation.installing import check_installation, install
from deploy.installation.topics import TopicInstaller
from schemas.failures import Failure
from schemas.partitioned_tables import BY_DAY, PARTITIONED
from schemas.settings import Settings
from schemas.topics import (
    DEAD_LETTER,
    DECISIONS,
    MODELS_PROMOTED,
    RAW,
    SCORE_HOLD,
    SCORED,
    TopicSpec,
)
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until
from tests.stack import MURMUR, own_database, process_environment

ALL_MIGRATIONS = tuple(
    sorted(
        path.stem
        for path in Path(schemas.__file__).parent.joinpath("migrations").glob("*.sql")
        if not path.stem.endswith(".rollback")
    )
)
ALL_TOPICS = {RAW, SCORED, DEAD_LETTER, MODELS_PROMOTED, SCORE_HOLD, DECISIONS}


@pytest.fixture
def bare(settings: Settings) -> Settings:
    """Settings whose topics have been deleted and whose database has no tables."""
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    names = [settings.names.topic(topic) for topic in ALL_TOPICS]
    for future in admin.delete_topics(names).values():
        future.result(30)
    wait_until(lambda: not admin.list_topics(timeout=10).topics.keys() & set(names), 60, "deleted")
    return settings


def test_a_complete_installation_is_found_complete(settings: Settings) -> None:
    assert check_installation(settings.installation).complete


def test_check_names_what_is_missing_and_changes_nothing(bare: Settings) -> None:
    with own_database(bare) as empty:
        for _ in range(2):
            report = check_installation(empty.installation)
            assert set(report.missing_topics) == {empty.names.topic(t) for t in ALL_TOPICS}
            assert report.missing_migrations == ALL_MIGRATIONS
            assert not report.complete


def test_installing_makes_it_complete_and_a_second_time_does_nothing(bare: Settings) -> None:
    with own_database(bare) as empty:
        first = install(empty.installation)
        assert set(first.made_topics) == {empty.names.topic(t) for t in ALL_TOPICS}
        assert first.applied_migrations == ALL_MIGRATIONS
        second = install(empty.installation)
        assert (second.made_topics, second.applied_migrations) == ((), ())
        assert check_installation(empty.installation).complete


def test_several_installing_at_once_all_succeed(bare: Settings) -> None:
    with own_database(bare) as empty, ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: install(empty.installation), range(4)))
        applied = [name for report in reports for name in report.applied_migrations]
        assert applied == list(ALL_MIGRATIONS)
        assert check_installation(empty.installation).complete


def test_a_migration_that_was_interrupted_is_applied_whole_the_next_time(bare: Settings) -> None:
    with own_database(bare) as empty:
        # The last table of the migration stands in its way: everything before it is undone.
        connection = psycopg2.connect(empty.postgres_uri)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE positions ()")
        with pytest.raises(psycopg2.errors.DuplicateTable):
            install(empty.installation)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('runs')")
            assert cursor.fetchone() == (None,)
            cursor.execute("DROP TABLE positions")
        connection.close()
        assert install(empty.installation).applied_migrations == ALL_MIGRATIONS


def test_more_partitions_are_only_made_when_asked_for(settings: Settings) -> None:
    more = settings.model_copy(update={"topic_partitions": settings.topic_partitions + 2})
    assert len(install(more.installation).differing) == 3
    assert not check_installation(more.installation).complete
    assert install(more.installation, alter=True).differing == ()
    assert check_installation(more.installation).complete
    assert check_installation(settings.installation).complete, (
        "more partitions than asked for are fine"
    )


def test_a_topic_that_would_lose_data_is_refused(bare: Settings) -> None:
    compacted = TopicSpec(bare.names.topic(RAW), 1, 1, cleanup="compact", retention_ms=-1)
    TopicInstaller(bare.cluster, bare.topic_layout).make([compacted])
    with pytest.raises(Failure, match=r"cleanup\.policy=compact"):
        install(bare.installation)
    assert install(bare.installation, alter=True)
    assert check_installation(bare.installation).complete


def test_a_database_belongs_to_one_installation(bare: Settings) -> None:
    install(bare.installation)
    other = bare.model_copy(update={"topic_prefix": f"{bare.topic_prefix}other."})
    with pytest.raises(Failure, match="belongs to the installation with the topic prefix"):
        install(other.installation)
    assert not check_installation(other.installation).complete
    assert len(check_installation(other.installation).missing_topics) > 1
    assert not install(bare.installation).made_topics


def test_a_database_that_is_not_in_utf_8_is_refused_and_stays_empty(settings: Settings) -> None:
    with own_database(settings) as named:
        name = f"{urlsplit(named.postgres_uri).path.removeprefix('/')}_ascii"
        with closing(psycopg2.connect(settings.postgres_uri)) as server:
            server.autocommit = True
            make = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
            server.cursor().execute(sql.SQL(make).format(sql.Identifier(name)))
            try:
                uri = urlsplit(named.postgres_uri)._replace(path=f"/{name}").geturl()
                ascii_only = named.model_copy(update={"postgres": SecretStr(uri)})
                with pytest.raises(Failure, match=r"in SQL_ASCII, .* ENCODING 'UTF8'"):
                    install(ascii_only.installation)
                report = check_installation(ascii_only.installation)
                assert report.missing_migrations == ALL_MIGRATIONS
                assert any("SQL_ASCII" in sentence for sentence in report.wrong)
            finally:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                server.cursor().execute(drop)


def test_the_command_exits_1_while_something_is_missing_and_0_when_it_is_made(
    bare: Settings,
) -> None:
    def init(*arguments: str) -> tuple[int, dict[str, object]]:
        answer = subprocess.run(
            [MURMUR, "init", "--json", *arguments],
            env=process_environment(bare),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        document: dict[str, object] = json.loads(answer.stdout)
        return answer.returncode, document

    status, report = init("--check")
    assert status == 1
    assert bare.names.topic(RAW) in cast("list[str]", report["missing_topics"])
    assert init()[0] == 0
    status, report = init("--check")
    assert (status, report["complete"]) == (0, True)


def test_the_tables_that_are_partitioned_are_those_of_the_list(bare: Settings) -> None:
    install(bare.installation)
    with psycopg2.connect(bare.postgres_uri) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT partrelid::regclass::text FROM pg_partitioned_table")
        assert {table for (table,) in cursor} == set(PARTITIONED)
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'day' AND table_name = ANY(%s)",
            (list(PARTITIONED),),
        )
        assert {table for (table,) in cursor} == set(BY_DAY)
    connection.close()
