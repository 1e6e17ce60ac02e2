"""`python -m tests.older_release --old COMMIT`: an installation as that version left it, for tests.

The old code itself makes it: it replays made-up tweets, scores and stores them, deletes some, and
says its figures. What only X or the years bring is put into its tables by hand, so that no table is
empty. It writes a dump and the figures into tests/golden/releases/.
"""

import gzip
import json
import os
import subprocess
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import click
from psycopg2.extensions import parse_dsn

from deploy.embedded.postgres_server import shipped_programs
from deploy.embedded.psql import connection_environment
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.conditions import wait_until
from tests.stack import own_database, running_servers
from tests.torture.swaps import rows
from tests.torture.upgrade import Version, Worker, checked_out

RELEASES: Final = Path(__file__).parent / "golden" / "releases"
_FIRST_ID: Final = 1_590_000_000_000_000_000
_STEP: Final = 4_194_304_000
"""One second of a tweet's id."""
_MOODS: Final = (
    "so happy with the coffee here",
    "the queue was awful and nobody cared",
    "the shop opens at nine",
    "não gosto de esperar tanto que dia ruim",
    "ça va être une belle journée",
)
_RUNS: Final = {"harvest": 220, "second": 90, "gone": 20}
_LIVE: Final = 60
_RULES: Final = "- {value: coffee, tag: coffee}\n- {value: queue, tag: queue}\n"
_BY_HAND: Final = (
    # The machine that made it is nobody's business.
    "UPDATE _yoyo_log SET username = 'somebody', hostname = 'somewhere'",
    "INSERT INTO kept_days (run, kept_from) VALUES ('live', '2022-11-01')",
    (
        "INSERT INTO tombstones (run, kind, id) SELECT 'live', k, (900 + n)::text"
        " FROM generate_series(1, 100) AS n, unnest(ARRAY['tweet', 'author']) AS k"
    ),
    (
        "INSERT INTO stream_coverage (stream, covered_until, last_tweet_id)"
        " VALUES ('filtered', '2026-11-20 10:00+00', '1590000000000000001')"
    ),
    (
        "INSERT INTO stream_gaps (from_at, to_at, reason, status)"
        " SELECT t, t + interval '90 s', 'silence',"
        " (ARRAY['open', 'refilled', 'partly', 'expired'])[1 + n % 4]"
        " FROM generate_series(1, 200) AS n,"
        " LATERAL (SELECT timestamptz '2026-10-01' + n * interval '3 h' AS t) AS at"
    ),
    (
        "INSERT INTO posts_read (day, posts)"
        " SELECT date '2026-01-01' + n, 1000 + n FROM generate_series(1, 300) AS n"
    ),
    (
        "INSERT INTO compliance_jobs (job_id, kind, ids, removals, created_at, finished_at)"
        " SELECT n::text, 'tweets', 100, n % 5, '2026-10-01', '2026-10-02'"
        " FROM generate_series(1, 100) AS n"
    ),
)
_TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace AND relname !~ '^_?yoyo'"
)


def _write_archives(folder: Path) -> None:
    (folder / "rules.yaml").write_text(_RULES)
    first = 0
    for run, tweets in {**_RUNS, "live": _LIVE}.items():
        lines = [
            f"{_FIRST_ID + (first + n) * 3600 * _STEP},{_MOODS[n % len(_MOODS)]} {n} #tag{n % 7}"
            for n in range(tweets)
        ]
        # A column too many: dead letters.
        lines += [f"{_FIRST_ID + n},one, two" for n in range(9)] if run == "harvest" else []
        (folder / f"{run}.csv").write_text("id,text\n" + "\n".join(lines) + "\n")
        first += tweets


def _dump(settings: Settings) -> str:
    """Return the database as statements that any client can run."""
    address = parse_dsn(settings.postgres_uri)
    made = subprocess.run(
        [
            shipped_programs() / "pg_dump",
            *("--inserts", "--rows-per-insert=200", "--no-owner", "--no-privileges"),
            address["dbname"],
        ],
        env={**os.environ, **connection_environment(address)},
        capture_output=True,
        text=True,
        check=True,
    )
    # psql's own commands, and what makes all names of the session need their schema.
    left_out = ("\\", "SELECT pg_catalog.set_config('search_path'", "SET transaction_timeout")
    return "".join(
        f"{line}\n" for line in made.stdout.splitlines() if not line.startswith(left_out)
    )


def _figures(old: Version) -> dict[str, Any]:
    """Return what the old version says of each run, and the tweets as it exports them."""
    found: dict[str, Any] = {}
    for run in ("harvest", "second", "live"):
        totals = old.output("totals", "--run", run, "--json")
        lines = old.output("export", "--run", run).splitlines()
        found[run] = {"totals": json.loads(totals), "export": [json.loads(line) for line in lines]}
    return found


def _fill(old: Version, connection: Connection, folder: Path) -> None:
    old.run("init")
    workers = [Worker(old, "score"), Worker(old, "sink")]
    try:
        for run in _RUNS:
            rules = ("--rules", str(folder / "rules.yaml")) if run == "harvest" else ()
            old.run("replay", str(folder / f"{run}.csv"), "--run", run, *rules)
        old.run("replay", str(folder / "live.csv"), "--into", "live", "--yes")
        expected = sum(_RUNS.values()) + _LIVE
        wait_until(
            lambda: rows(connection, "SELECT count(*) FROM tweets")[0][0] >= expected,
            600,
            f"{expected} tweets to be stored",
        )
        wait_until(
            lambda: rows(connection, "SELECT count(*) FROM dead_letters")[0][0] > 0,
            60,
            "the dead letters to be stored",
        )
        old.run("runs", "delete", "gone", "--yes")
    finally:
        for worker in workers:
            worker.end()
    for statement in _BY_HAND:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
    for (table,) in rows(connection, _TABLES):
        (count,) = rows(connection, f"SELECT count(*) FROM {table}")[0]  # noqa: S608  PostgreSQL's name
        click.echo(f"{table}: {count}", err=True)
        if not count:
            raise click.ClickException(f"nothing is in {table}")


@click.command()
@click.option("--old", required=True, metavar="COMMIT", help="The version that makes it.")
def main(old: str) -> None:
    """Make a dump and the figures of an older version."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        code = cleanup.enter_context(checked_out(old, folder / "old"))
        servers = cleanup.enter_context(running_servers())
        named = cleanup.enter_context(own_database(servers))
        settings = named.model_copy(update={"topic_prefix": "older."})
        connection = cleanup.enter_context(
            closing(connect_postgres(settings.postgres_connection, "older"))
        )
        version = Version("old", code, settings, folder)
        _write_archives(folder)
        _fill(version, connection, folder)
        figures = _figures(version)
        dump = _dump(settings)
    RELEASES.mkdir(exist_ok=True)
    for name, content in ((f"{old}.sql.gz", dump), (f"{old}.json.gz", json.dumps(figures))):
        packed = gzip.compress(content.encode(), mtime=0)
        (RELEASES / name).write_bytes(packed)
        click.echo(f"{name}: {len(packed):,} bytes", err=True)


if __name__ == "__main__":
    main()
