"""What surrounds every process that runs until it is told to stop: use this, and it has all of it.

Metrics and probes, stop signals, health as progress, a watchdog, and an end in order. Two things
are left to the command that runs the process: its log (`logs.configure_logging`), which has to
speak before this begins, and its exit code (`exit_codes`).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.process.metrics import StageMetrics
from schemas.process.probes import serve_probes
from schemas.process.progress import Health, Progress
from schemas.process.stop_signals import StopSignals
from schemas.process.watchdog import Watchdog, end_process
from schemas.setting_views import ProbeAddress

logger = logging.getLogger(__name__)


class RunningProcess:
    """What the parts of a process share.

    `stop` says whether to end, `finished` is set once the process has, for threads beside the work.
    `ask_readiness` may be replaced by what knows more of it than `progress`.
    """

    def __init__(self, stage: str, stall_after_s: float, home: Path = Path()) -> None:
        self.metrics = StageMetrics(stage)
        self.progress = Progress(time.monotonic, stall_after_s)
        self.stop = StopSignals()
        self.finished = threading.Event()
        self.ask_readiness: Callable[[], Health] = self.progress.readiness
        self.metrics.follow(self.progress, self.readiness, home)
        self._parts: list[Callable[[], Health]] = [self.progress.health]
        self._stopping: list[Callable[[], bool]] = [self.stop.asked]
        self._faults: list[BaseException] = []

    def run_beside(self, name: str, work: Callable[[threading.Event], object]) -> threading.Thread:
        """Run work in a thread of its own until `finished`, which it is given, is set.

        A fault that it does not handle ends the whole process in order, with that fault: without
        this part the process would look well and go wrong.
        """

        def run() -> None:
            try:
                work(self.finished)
            except BaseException as fault:
                self._faults.append(fault)
                self.stop.ask()
                raise

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def raise_faults(self) -> None:
        """Raise the first fault of a thread beside the work, where there was one."""
        if self._faults:
            raise self._faults[0]

    def watch(self, health: Callable[[], Health]) -> None:
        """Let a part's health decide too: the process is ended where it is red."""
        self._parts.append(health)

    def ends_when(self, stopping: Callable[[], bool]) -> None:
        """Bound the time of an end that begins by itself, as after a stop signal."""
        self._stopping.append(stopping)

    def health(self) -> Health:
        """Answer /healthz: the first part that is red, else what the progress says."""
        healths = [part() for part in list(self._parts)]
        return next((health for health in healths if not health.ok), healths[0])

    def readiness(self) -> Health:
        """Answer /readyz."""
        return self.ask_readiness()

    def stopping(self) -> bool:
        """Tell whether the process is about to end."""
        return any(stopping() for stopping in list(self._stopping))


@contextmanager
def running_process(
    stage: str, probes: ProbeAddress, *, stall_after_s: float
) -> Iterator[RunningProcess]:
    """Run the block as a process that supervisors can rely on; only in the main thread.

    While it runs, /metrics, /healthz and /readyz are served (port 0: a free one), SIGTERM and
    Ctrl-C set `stop` (a second one ends the process at once), and a watchdog ends the process with
    a code of `ExitCode` where its health is red for `stall_after_s`, or where it is not done 9 s
    after it was told to stop. Raises `Failure` where the port cannot be had, and the fault of a
    thread of `run_beside`.
    """
    process = RunningProcess(stage, stall_after_s, probes.home)
    watchdog = Watchdog(
        process.health, stopping=process.stopping, clock=time.monotonic, end=end_process
    )
    with (
        serve_probes(
            probes.host,
            probes.port,
            process.metrics.registry,
            health=process.health,
            readiness=process.readiness,
        ) as port,
        process.stop.watching(),
    ):
        logger.info("probes at http://%s:%d", probes.host, port)
        threading.Thread(
            target=watchdog.run, args=(process.finished,), name="watchdog", daemon=True
        ).start()
        try:
            yield process
        finally:
            process.finished.set()
        process.raise_faults()
