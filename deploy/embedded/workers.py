"""The worker processes of a stack: `murmur score` and `murmur sink`."""

import sys
from pathlib import Path
from typing import Final

from deploy.embedded.layout import Layout
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.programs import Program
from deploy.embedded.readiness import probe_check
from deploy.embedded.start_programs import Say, start_and_await
from deploy.embedded.state import StackState
from deploy.embedded.supervision import Supervisor

WORKERS: Final = ("score", "sink")
"""In the order in which they are started and stopped."""

_READY_TIMEOUT_S = 60.0


def probe_url(state: StackState, worker: str) -> str:
    """Return the address where a worker says whether it is ready; /metrics is beside it."""
    return f"http://{LOOPBACK}:{state.ports[worker]}/readyz"


def worker_programs(layout: Layout, state: StackState) -> list[Program]:
    """Return the workers; they run where this process does, so that they read the same `.env`."""
    murmur = Path(sys.executable).with_name("murmur")
    return [
        Program(
            name=name,
            command=(
                sys.executable,
                str(murmur),
                name,
                "--probe-port",
                str(state.ports[name]),
            ),
            settled_after_s=10,
            directory=Path.cwd(),
            environment={"MURMUR_HOME": str(layout.home)},
        )
        for name in WORKERS
    ]


def await_workers(
    layout: Layout, state: StackState, supervisor: Supervisor, say: Say, *, is_held: bool
) -> None:
    """Start the workers and return when both can take work; held, scoring is not waited for."""
    awaited = [name for name in WORKERS if not (is_held and name == "score")]
    if is_held:
        supervisor.start("score")
    start_and_await(
        layout,
        supervisor,
        {name: probe_check(probe_url(state, name)) for name in awaited},
        timeout_s=_READY_TIMEOUT_S,
        say=say,
    )
