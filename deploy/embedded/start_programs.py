"""Starting programs under the supervisor and waiting until they do their work."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.embedded.layout import Layout
from deploy.embedded.readiness import Check, await_ready
from deploy.embedded.supervision import Supervisor
from schemas.failures import Failure

Say = Callable[[str], None]
"""Told what is being done, in short lines for a person."""

_TAIL_LINES = 15


def start_and_await(
    layout: Layout,
    supervisor: Supervisor,
    checks: Mapping[str, Check],
    *,
    timeout_s: float,
    say: Say,
) -> None:
    """Start programs together and return when every check is content.

    Where one is not after `timeout_s`, `say` gets the end of its log since this start, and
    `Failure` names it.
    """
    logged_bytes = {name: _size_bytes(layout.log_of(name)) for name in checks}
    for name in checks:
        supervisor.start(name)
    deadline = time.monotonic() + timeout_s
    for name, check in checks.items():
        say(f"waiting for {name}")
        reason = await_ready(check, deadline - time.monotonic())
        if reason is not None:
            log = layout.log_of(name)
            for line in _tail(log, logged_bytes[name]):
                say(f"{name}: {line}")
            raise Failure(f"{name} is not ready after {timeout_s:.0f} s ({reason}); see {log}")


def _size_bytes(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _tail(log: Path, after_bytes: int) -> list[str]:
    """Return the last lines after these bytes; of a log that was begun anew meanwhile, of all."""
    try:
        with log.open("rb") as lines:
            lines.seek(after_bytes if after_bytes <= _size_bytes(log) else 0)
            return [line.decode(errors="replace").rstrip() for line in deque(lines, _TAIL_LINES)]
    except FileNotFoundError:
        return []
