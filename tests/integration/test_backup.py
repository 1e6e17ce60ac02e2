"""An installation comes back from a backup: rows, figures and models, and what came after it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.backup.backing_up import make_backup, restore_backup
from deploy.installation.ownership import own_database as own_it
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.integration.test_sink import running_sink, store
from tests.stack import own_database
from tests.unit.examples import deleted, scored_tweet

PROMOTED = Path(__file__).parents[2] / "schemas/golden/models.promoted/ModelPromoted-v1.json"


@pytest.fixture
def another(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    with own_database(settings) as other:
        yield other.model_copy(update={"home": tmp_path / "another"})


def execute(settings: Settings, statement: str) -> list[tuple[object, ...]]:
    with (
        closing(connect_postgres(settings.postgres_connection, "test")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_tables_and_bundles_come_back_and_a_filled_database_is_left_alone(
    settings: Settings, another: Settings, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    bundle = home / "bundles" / "abc" / "manifest.json"
    bundle.parent.mkdir(parents=True)
    bundle.write_text("{}")
    ours = settings.model_copy(update={"home": home})
    execute(ours, "INSERT INTO runs (run, kind, started_at) VALUES ('kept', 'replay', now())")
    execute(
        ours,
        "INSERT INTO positions (consumer, topic, topic_id, partition, next_offset)"
        " VALUES ('sink', 'tweets.scored', 'x', 0, 41)",
    )
    execute(
        ours,
        "INSERT INTO promotions (promotion_id, event, promoted_at, published_at)"  # noqa: S608
        f" VALUES ('p', '{PROMOTED.read_text()}', '2020-01-01', '2020-01-01')",
    )
    backup = tmp_path / "backup.tar"
    killed = home / ".backup.unfinished"
    killed.mkdir()
    (killed / "postgres.dump").write_text("tweets of a backup that was killed")
    made = make_backup(ours, backup)
    assert not killed.exists()

    restored, installed = restore_backup(another, backup)

    assert restored == made
    assert installed.applied_migrations == ()
    assert execute(another, "SELECT run FROM runs") == [("kept",)]
    # The sink goes on there, so that it reads again what topics still hold.
    assert execute(another, "SELECT next_offset FROM positions") == [(41,)]
    assert (another.home / "bundles" / "abc" / "manifest.json").read_text() == "{}"
    # Its topics may be new: the model that serves is told to them again.
    told = execute(another, "SELECT published_at > '2020-01-02' FROM promotions")
    assert told == [(True,)]
    assert "MURMUR_POSTGRES" not in (another.home / "restored-settings.env").read_text()
    with pytest.raises(Failure, match="holds 1 runs"):
        restore_backup(another, backup)


def test_what_was_deleted_after_a_backup_is_deleted_again_while_kafka_knows_of_it(
    settings: Settings, another: Settings, tmp_path: Path
) -> None:
    ours = settings.model_copy(update={"home": tmp_path / "home"})
    store(ours, [scored_tweet(tweet_id="1", root_id="1"), scored_tweet(tweet_id="2", root_id="2")])
    execute(
        ours,
        "INSERT INTO compliance_jobs (job_id, kind, ids, created_at)"
        " VALUES ('begun', 'tweets', 2, now())",
    )
    backup = tmp_path / "backup.tar"
    make_backup(ours, backup)
    store(ours, [deleted("1")])
    assert execute(ours, "SELECT root_id FROM tweets") == [("2",)]

    restore_backup(another, backup)

    # An answer to the old job would say nothing of what was deleted since.
    assert execute(another, "SELECT 1 FROM compliance_jobs WHERE finished_at IS NULL") == []
    with running_sink(another):
        wait_until(
            lambda: execute(another, "SELECT root_id FROM tweets") == [("2",)],
            60,
            "the deletion after the backup",
        )


def test_a_backup_of_another_installation_is_refused_before_anything_changes(
    settings: Settings, another: Settings, tmp_path: Path
) -> None:
    ours = settings.model_copy(update={"home": tmp_path / "home"})
    own_it(ours.postgres_connection, ours.topic_prefix)
    backup = tmp_path / "backup.tar"
    make_backup(ours, backup)
    execute(another, "CREATE TABLE here_before ()")

    stranger = another.model_copy(update={"topic_prefix": "other."})
    with pytest.raises(Failure, match=rf"prefix '{ours.topic_prefix}', and MURMUR_TOPIC_PREFIX is"):
        restore_backup(stranger, backup)
    # A database that is another's is left alone too, though it holds no runs.
    execute(another, "CREATE TABLE installation AS SELECT true AS only_row, 'x.' AS topic_prefix")
    with pytest.raises(Failure, match="the database belongs to the installation"):
        restore_backup(another, backup)
    assert execute(another, "SELECT to_regclass('here_before') IS NOT NULL") == [(True,)]
    assert not (another.home / "bundles").exists()


def test_a_database_without_tables_gives_no_backup(another: Settings, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="murmur init"):
        make_backup(another, tmp_path / "backup.tar")
