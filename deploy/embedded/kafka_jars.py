"""Kafka's jars: fetched once for each user, and only if their hashes are the locked ones."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

from schemas.failures import Failure

_LOCK = "kafka-jars.sha256"
_FETCHES_AT_ONCE = 8

Fetch = Callable[[str, Path], Path]
"""Fetches the artifact `group:artifact:version` into a folder and returns where it lies."""


def ensure_kafka_jars(fetch: Fetch | None = None, cache: Path | None = None) -> str:
    """Return the class path of Kafka's broker and tools, every jar checked against the lock.

    It names each jar: another one that lies beside them is not on it.
    What is missing or damaged is fetched anew into the user's cache; `Failure` where that cannot
    be done. Processes that do this at once wait for each other.
    """
    text = files("deploy.embedded").joinpath(_LOCK).read_text()
    folder = (cache or user_cache()) / f"kafka-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        locked = parse_lock(text)
        complete_jars(folder, locked, fetch or _fetch_with_jgo)
    return os.pathsep.join(str(folder / jar_name(coordinate)) for coordinate in locked)


def user_cache() -> Path:
    """Return the folder where Murmur keeps what can be fetched again, for this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "murmur"


def parse_lock(text: str) -> dict[str, str]:
    """Return the SHA-256 of each `group:artifact:version` of a lock file."""
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {coordinate: sha256 for sha256, coordinate in lines}


def jar_name(coordinate: str) -> str:
    """Return the file name of an artifact."""
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def complete_jars(folder: Path, locked: Mapping[str, str], fetch: Fetch) -> None:
    """Fetch into a folder what it lacks of the locked jars, or holds with other content."""
    missing = [
        coordinate
        for coordinate, sha256 in locked.items()
        if _sha256(folder / jar_name(coordinate)) != sha256
    ]
    unfinished = folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)

    def complete_one(coordinate: str) -> None:
        fetched = fetch(coordinate, unfinished)
        if _sha256(fetched) != locked[coordinate]:
            raise Failure(f"{coordinate} was fetched, but its hash is not the one in {_LOCK}")
        fetched.replace(folder / jar_name(coordinate))

    try:
        with ThreadPoolExecutor(_FETCHES_AT_ONCE) as pool:
            list(pool.map(complete_one, missing))
    except (OSError, RuntimeError) as error:  # what jgo and requests raise
        raise Failure(
            f"Kafka's jars could not be fetched ({type(error).__name__}: {error}): check the "
            "network, or name a Maven mirror to jgo, or your own Kafka in MURMUR_KAFKA"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _fetch_with_jgo(coordinate: str, folder: Path) -> Path:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    group, artifact, version = coordinate.split(":")
    # A mirror that the user has configured for jgo is asked first.
    repositories = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    maven = MavenContext(repo_cache=folder, local_repos=[], remote_repos=repositories, timeout=30)
    return Path(maven.project(group, artifact).at_version(version).artifact().resolve())


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return None
