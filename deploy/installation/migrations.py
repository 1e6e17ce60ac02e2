"""The tables: which migrations a database lacks, and applying them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any, Final

from yoyo import internalmigrations, read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import DatabaseURI, parse_uri
from yoyo.migrations import Migration, MigrationList

from schemas import locks
from schemas.setting_views import PostgresConnection
from schemas.transport.postgres import Connection, connect_postgres

_TABLE: Final = "_yoyo_migration"


def missing_migrations(postgres: PostgresConnection) -> list[str]:
    """Return the migrations that the database lacks, in their order; change nothing."""
    connection = connect_postgres(postgres, "init")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (_TABLE,))
            if cursor.fetchone() == (True,):
                cursor.execute(f"SELECT migration_id FROM {_TABLE}")  # noqa: S608  our constant
            applied = {row[0] for row in cursor.fetchall()}
    finally:
        connection.close()
    with _migrations() as migrations:
        return [migration.id for migration in migrations if migration.id not in applied]


def apply_migrations(postgres: PostgresConnection) -> list[str]:
    """Apply what the database lacks and return it. Each migration is one transaction.

    Processes that do this at once wait for each other (60 s, then `psycopg2.errors.
    LockNotAvailable`).
    """
    lock = connect_postgres(postgres, "init")
    lock.autocommit = True
    try:
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (locks.MIGRATIONS,))
        with _migrations() as migrations, _Backend(postgres) as backend:
            if internalmigrations.needs_upgrading(backend):
                internalmigrations.upgrade(backend)
            lacking = backend.to_apply(migrations)
            backend.apply_migrations(lacking)
            return [migration.id for migration in lacking]
    finally:
        lock.close()


class _Backend(PostgresqlBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo on our own connections (it knows neither all of a libpq URI nor our timeouts)."""

    def __init__(self, postgres: PostgresConnection) -> None:
        self._postgres = postgres
        super().__init__(dburi=parse_uri("postgresql:///"), migration_table=_TABLE)

    def connect(self, dburi: DatabaseURI) -> Connection:
        del dburi
        connection = connect_postgres(self._postgres, "init")
        connection.autocommit = True
        return connection

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        """Apply and mark in one transaction (yoyo takes two, and a kill may come between)."""
        with self.transaction():
            migration.process_steps(self, "apply", force=force)
            if mark:
                self.mark_one(migration)


@contextmanager
def _migrations() -> Iterator[MigrationList]:
    with as_file(files("schemas").joinpath("migrations")) as folder:
        migrations: Any = read_migrations(str(folder))
        yield migrations
