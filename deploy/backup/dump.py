"""PostgreSQL's own dump of Murmur's database, and putting it back."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from psycopg2.extensions import parse_dsn

from deploy.embedded.postgres_server import shipped_programs
from deploy.embedded.psql import connection_environment
from schemas.failures import Failure
from schemas.setting_views import PostgresConnection
from schemas.transport.postgres import connect_postgres

_MAKE_READER: Final = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'murmur_read') THEN
        CREATE ROLE murmur_read NOLOGIN;
    END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END $$
"""
"""A dump has what a role may do, and not the role, which belongs to the whole server."""


def dump_database(postgres: PostgresConnection, into: Path) -> None:
    """Write a dump that is consistent in itself, beside running workers; raise `Failure`."""
    into.touch(mode=0o600)
    _call(postgres, "pg_dump", ["--format=custom", "--no-owner", f"--file={into}"])


def restore_database(postgres: PostgresConnection, dump: Path) -> None:
    """Put a dump back into an empty database, in one transaction; raise `Failure`.

    Tables without a run are replaced. A database that holds runs is left as it is.
    """
    with (
        closing(connect_postgres(postgres, "restore")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT to_regclass('runs') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT count(*) FROM runs")
            (runs,) = cursor.fetchall()[0]
            if runs:
                raise Failure(
                    f"the database holds {runs} runs: restore into an empty one (`murmur down "
                    "--delete-data`, then `murmur up --servers-only`)"
                )
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
        cursor.execute("DROP SCHEMA IF EXISTS reading CASCADE")
        cursor.execute(_MAKE_READER)
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'murmur_read'")
        has_reader = cursor.fetchone() == (1,)
    options = ["--no-owner", "--exit-on-error", "--single-transaction"]
    if not has_reader:
        # Whoever may make roles makes it, and says the GRANTs of migration 0029.
        options.append("--no-privileges")
    _call(postgres, "pg_restore", [*options, "--dbname=", str(dump)])


def dumped_prefix(dump: Path) -> str | None:
    """Return the topic prefix of the installation that a dump is of; raise `Failure`.

    None where it is too old to say.
    """
    script = _run("pg_restore", ["--data-only", "--table=installation", "--file=-", str(dump)])
    _, found, rows = script.partition("COPY public.installation (only_row, topic_prefix)")
    if not found:
        return None
    first = rows.splitlines()[1]
    return None if first == "\\." else first.partition("\t")[2]


def _call(postgres: PostgresConnection, program: str, arguments: Sequence[str]) -> None:
    """Run one of PostgreSQL's programs; the address goes by the environment."""
    address = parse_dsn(postgres.uri.get_secret_value())
    chosen = [
        f"--dbname={address['dbname']}" if argument == "--dbname=" else argument
        for argument in arguments
    ]
    _run(program, chosen, connection_environment(address))


def _run(
    program: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> str:
    done = subprocess.run(
        [str(shipped_programs() / program), *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = " ".join(done.stderr.strip().splitlines()[-1:])
        raise Failure(f"{program}: {reason or f'exit {done.returncode}'}")
    return done.stdout
