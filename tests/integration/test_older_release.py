"""What an older version has stored is counted, exported and deleted alike after `murmur init`."""

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from deploy.installation.installing import install
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.retention.run_deletion import delete_run
from tests.integration.reading import run_command
from tests.integration.storing import store
from tests.older_release import RELEASES
from tests.recount import differing_hashtag_rollups, differing_rollups
from tests.stack import own_database
from tests.torture.swaps import rows
from tests.unit.examples import deleted

OLDER = "838833a"
CHANGING = {"as_of", "note", "source"}
"""They say when somebody asked, and whom."""

ENDS_NOW = ("end", "series", "series_step_s")
"""The window of the live run ends when somebody asks."""


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """What that version said of each run."""
    told: dict[str, Any] = json.loads(gzip.decompress((RELEASES / f"{OLDER}.json.gz").read_bytes()))
    for name in ENDS_NOW:
        del told["live"]["totals"]["aggregates"][name]
    return told


@pytest.fixture
def upgraded(settings: Settings) -> Iterator[Settings]:
    """An installation that holds that version's data, after `murmur init`."""
    dump = gzip.decompress((RELEASES / f"{OLDER}.sql.gz").read_bytes()).decode()
    with own_database(settings) as own:
        with (
            closing(connect_postgres(own.postgres_connection, "test")) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(dump)
        assert install(own.installation).applied_migrations
        yield own


def exported(settings: Settings, run: str) -> list[dict[str, Any]]:
    answer = run_command(settings, "export", "--run", run)
    assert answer.exit_code == 0, answer.output
    return [json.loads(line) for line in answer.stdout.splitlines()]


def totals(settings: Settings, run: str) -> dict[str, Any]:
    answer = run_command(settings, "totals", "--run", run, "--json")
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def lost(old: Any, new: Any, where: str = "") -> list[str]:
    """Return what the old answer holds and the new one does not; more may be in the new one."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            found
            for key, value in old.items()
            if key not in CHANGING
            for found in (
                lost(value, new[key], f"{where}.{key}")
                if key in new
                else [f"{where}.{key} is gone"]
            )
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [found for at, pair in pairs for found in lost(*pair, f"{where}[{at}]")]
    return [] if old == new else [f"{where}: {old!r}, now {new!r}"]


def differing(connection: Connection) -> list[tuple[Any, ...]]:
    return [*differing_rollups(connection), *differing_hashtag_rollups(connection)]


def test_figures_and_exports_of_an_older_version_stay_what_they_were(
    upgraded: Settings, figures: dict[str, Any]
) -> None:
    for run, said in figures.items():
        assert lost(said["export"], exported(upgraded, run)) == []
        assert lost(said["totals"], totals(upgraded, run)) == []
    with closing(connect_postgres(upgraded.postgres_connection, "test")) as connection:
        assert differing(connection) == []
        assert rows(connection, "SELECT count(*) > 0 FROM dead_letters") == [(True,)]


def test_a_tweet_and_a_run_of_an_older_version_are_deleted_with_all_that_counts_them(
    upgraded: Settings, figures: dict[str, Any]
) -> None:
    first = figures["harvest"]["export"][0]["tweet_id"]
    with closing(connect_postgres(upgraded.postgres_connection, "test")) as connection:
        store(connection, [deleted(run="harvest", tweet_id=first)])
        assert first not in {line["tweet_id"] for line in exported(upgraded, "harvest")}
        before = figures["harvest"]["totals"]["aggregates"]["tweets"]
        assert before - totals(upgraded, "harvest")["aggregates"]["tweets"] == 1
        delete_run(connection, "second")
        assert rows(connection, "SELECT count(*) FROM rollups WHERE run = 'second'") == [(0,)]
        assert differing(connection) == []
        assert lost(figures["live"]["totals"], totals(upgraded, "live")) == []
