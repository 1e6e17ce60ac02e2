"""Making a backup, and making an installation from one."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from deploy.backup.contents import (
    BUNDLES,
    DUMP,
    FORMAT,
    SETTINGS,
    BackupManifest,
    files_below,
    hash_of,
    unpack_backup,
    write_backup,
)
from deploy.backup.dump import dump_database, dumped_prefix, restore_database
from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from deploy.installation.encoding import refuse_other_encoding
from deploy.installation.installing import InstallationReport, install
from deploy.installation.migrations import missing_migrations
from deploy.installation.ownership import refuse_foreign
from deploy.installation.tell_again import tell_again
from schemas.atomic_folder import PlaceTaken, unfinished_beside
from schemas.failures import Failure
from schemas.private_files import make_private_folder
from schemas.process.process_list import PROCESSES
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres


def make_backup(settings: Settings, output: Path, *, now: datetime | None = None) -> BackupManifest:
    """Write tables, promoted bundles and settings without secrets into a file of mode 0600.

    Workers may run. What topics hold is not in it: a consumer that is restored reads it again.
    Raises `Failure`; a file of that name is replaced only by a whole backup. Nothing else is left,
    also of an earlier one that was killed.
    """
    lacking = missing_migrations(settings.postgres_connection)
    if lacking:
        raise Failure(f"PostgreSQL lacks tables ({len(lacking)} migrations): run `murmur init`")
    with _folder_for("backup", settings.home) as folder:
        dump_database(settings.postgres_connection, folder / DUMP)
        (folder / SETTINGS).write_text(settings_without_secrets(settings), encoding="utf-8")
        shelf = Path(settings.bundle_shelf)
        if shelf.is_dir():
            shutil.copytree(shelf, folder / BUNDLES)
        manifest = BackupManifest(
            format=FORMAT,
            murmur=version("murmur"),
            made_at=now or datetime.now(UTC),
            migrations=applied_migrations(settings),
            files={name: hash_of(path) for name, path in files_below(folder).items()},
        )
        write_backup(folder, manifest, output)
    return manifest


def restore_backup(settings: Settings, backup: Path) -> tuple[BackupManifest, InstallationReport]:
    """Fill an empty installation from a backup, then make what this version has beyond it.

    The sink goes on where the backup's positions are, so that it reads again what topics still
    hold; in another Kafka it begins at the beginning. The promoted model and the decisions in use
    are told to Kafka again. What was deleted since the backup is deleted again where topics still
    hold that; else the next compliance run finds it. Raises `Failure`, and has changed nothing if
    the backup is damaged, comes from a newer version or from an installation with another topic
    prefix, or if workers or runs are there, or the database is another's or not in UTF-8.
    """
    _refuse_while_workers_run(settings.home)
    refuse_other_encoding(settings.postgres_connection)
    refuse_foreign(settings.postgres_connection, settings.topic_prefix)
    with _folder_for("restore", settings.home) as folder:
        manifest = unpack_backup(backup, folder)
        known = {*missing_migrations(settings.postgres_connection), *applied_migrations(settings)}
        unknown = [name for name in manifest.migrations if name not in known]
        if unknown:
            raise Failure(
                f"{backup} was made by a newer Murmur ({manifest.murmur}; it has {unknown[0]}): "
                "restore it with that version"
            )
        prefix = dumped_prefix(folder / DUMP)
        if prefix not in (None, settings.topic_prefix):
            raise Failure(
                f"{backup} is of the installation with the topic prefix '{prefix}', and "
                f"MURMUR_TOPIC_PREFIX is '{settings.topic_prefix}': set it to restore that one"
            )
        restore_database(settings.postgres_connection, folder / DUMP)
        if (folder / BUNDLES).is_dir():
            shelf = Path(settings.bundle_shelf)
            shutil.copytree(folder / BUNDLES, shelf, dirs_exist_ok=True)
        shutil.copyfile(folder / SETTINGS, settings.home / f"restored-{SETTINGS}")
    installed = install(settings.installation)
    _end_compliance_jobs(settings)
    tell_again(settings.postgres_connection, settings.cluster)
    return manifest, installed


def settings_without_secrets(settings: Settings) -> str:
    """Return what differs from the defaults, as lines of a `.env`; no secret, no address.

    Addresses are those of one place: a backup is often restored in another.
    """
    lines = []
    for name, field in Settings.model_fields.items():
        value: Any = getattr(settings, name)
        if isinstance(value, SecretStr) or name in ("home", "kafka") or name.endswith("_file"):
            continue
        if value not in (field.default, None):
            lines.append(f"MURMUR_{name.upper()}={value}\n")
    return "".join(lines)


def applied_migrations(settings: Settings) -> list[str]:
    """Return the migrations that the database has, in their order."""
    connection: Connection = connect_postgres(settings.postgres_connection, "backup")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('_yoyo_migration') IS NOT NULL")
            if cursor.fetchone() != (True,):
                return []
            cursor.execute("SELECT migration_id FROM _yoyo_migration ORDER BY migration_id")
            return [str(row[0]) for row in cursor.fetchall()]
    finally:
        connection.close()


def _end_compliance_jobs(settings: Settings) -> None:
    """End jobs that had begun: their answers say nothing of what was deleted since."""
    with (
        closing(connect_postgres(settings.postgres_connection, "restore")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE compliance_jobs SET removals = 0, finished_at = now() WHERE finished_at IS NULL"
        )


@contextmanager
def _folder_for(what: str, home: Path) -> Iterator[Path]:
    """Yield a folder for tweets on their way; it goes, now or, after a kill, by the next call."""
    try:
        with unfinished_beside(make_private_folder(home) / what) as folder:
            yield folder
    except PlaceTaken as taken:
        raise Failure(f"another `murmur {what}` runs: wait for it") from taken


def _refuse_while_workers_run(home: Path) -> None:
    state = load_state(Layout.of(home))
    supervisor = Supervisor(state) if state is not None else None
    if supervisor is None or not supervisor.answers():
        return
    workers = {process.name for process in PROCESSES}
    running = [name for name, found in supervisor.states().items() if name in workers and found.pid]
    if running:
        raise Failure(
            f"{', '.join(running)} run: `murmur down`, then `murmur up --servers-only`, then this"
        )
