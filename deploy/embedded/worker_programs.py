"""The worker processes of a stack: those of Murmur's processes that `murmur up` keeps up."""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from deploy.embedded.layout import Layout
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.readiness import probe_check
from deploy.embedded.stack_state import PAGE_PORT, StackState
from deploy.embedded.start_programs import Say, start_and_await
from deploy.embedded.supervised_program import Program
from deploy.embedded.supervision import Supervisor
from schemas.process.process_list import EMBEDDED, SCORE, SERVE, ProcessSpec

_READY_TIMEOUT_S = 120.0


def probe_url(state: StackState, worker: str) -> str:
    """Return the address where a worker says whether it is ready; /metrics is beside it."""
    return f"http://{LOOPBACK}:{state.ports[worker]}/readyz"


def metrics_url(state: StackState, worker: str) -> str:
    """Return the address of a worker's metrics."""
    return f"http://{LOOPBACK}:{state.ports[worker]}/metrics"


def worker_programs(
    layout: Layout,
    state: StackState,
    workers: Collection[ProcessSpec],
    settings: Mapping[str, str],
) -> list[Program]:
    """Return the workers; they run where this process does, so that they read the same `.env`.

    `settings` are variables that they are given beside those that the supervisor has.
    """
    murmur = Path(sys.executable).with_name("murmur")
    return [
        Program(
            name=worker.name,
            command=(
                sys.executable,
                str(murmur),
                *worker.command,
                "--probe-port",
                str(state.ports[worker.name]),
                *(("--port", str(state.ports[PAGE_PORT])) if worker == SERVE else ()),
            ),
            settled_after_s=10,
            directory=Path.cwd(),
            environment={**settings, "MURMUR_HOME": str(layout.home)},
        )
        for worker in workers
    ]


def await_workers(
    layout: Layout,
    state: StackState,
    supervisor: Supervisor,
    say: Say,
    *,
    workers: Collection[ProcessSpec],
    is_held: bool,
) -> None:
    """Start the workers and return when all can take work.

    Those that wait for others are not waited for: scoring while it is held, the streams of X, and
    retraining.
    """
    awaited = [
        worker.name
        for worker in workers
        if worker in EMBEDDED and not (is_held and worker == SCORE)
    ]
    for worker in workers:
        if worker.name not in awaited and worker != SERVE:
            supervisor.start(worker.name)
    # The page comes after them: each process that loads a model keeps a core for seconds.
    for together in (awaited, [worker.name for worker in workers if worker == SERVE]):
        start_and_await(
            layout,
            supervisor,
            {name: probe_check(probe_url(state, name)) for name in together},
            timeout_s=_READY_TIMEOUT_S,
            say=say,
        )
