"""PostgreSQL's own command line client, pointed at the installation's database."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from psycopg2.extensions import parse_dsn

from deploy.embedded.postgres_server import shipped_programs
from schemas.setting_views import PostgresConnection

_NAMED_OTHERWISE: Final = {
    "dbname": "PGDATABASE",
    "application_name": "PGAPPNAME",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def become_psql(postgres: PostgresConnection, arguments: Sequence[str]) -> None:
    """Replace this process by psql; it does not return, unless to raise `Failure`: there is none.

    The address goes by the environment, so that no password stands in the list of processes.
    """
    psql = shipped_programs() / "psql"
    address = parse_dsn(postgres.uri.get_secret_value())
    environment = {**os.environ, **connection_environment(address)}
    os.execve(psql, [str(psql), *arguments], environment)  # noqa: S606  no shell is wanted


def connection_environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return libpq's connection parameters as the environment variables that libpq reads."""
    return {
        _NAMED_OTHERWISE.get(name, f"PG{name.upper()}"): value for name, value in parameters.items()
    }
