"""A program that the supervisor keeps up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Program:
    """One process: how it is started, kept up and stopped.

    The command line is unlike that of any other stack's (it names a file or port of this one's),
    so that a process can be found by it. It never holds a secret. A process that ends within
    `settled_after_s` counts as a failed start, which is what makes the supervisor wait longer and
    longer before it tries again.
    """

    name: str
    command: tuple[str, ...]
    settled_after_s: int = 5
    stop_signal: Literal["TERM", "INT"] = "TERM"
    stop_wait_s: int = 15
    directory: Path | None = None
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
