"""Doing to a running stack what the plan says, and undoing it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from tests.conditions import wait_until
from tests.stack import MURMUR
from tests.torture.plan import Fault
from tests.torture.small_disk import Disk
from tests.torture.topic_faults import TopicFaults

_STOP_WITHIN_S: Final = 10.0
_CLOCK_OFF_DAYS: Final = 400
_SLOW_STOPPED_S, _SLOW_RUNNING_S = 0.15, 0.05


class Skipped(Exception):
    """This machine does not allow the fault; the text says why."""


@dataclass
class Faults:
    """The faults of the plan, each by its kind. `slow_ends` lists who took too long to end."""

    home: Path
    settings: Settings
    disk: Disk
    clock: Callable[[], float]
    of_topics: TopicFaults
    slow_ends: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        state = load_state(Layout.of(self.home))
        if state is None:
            raise Failure("the stack has not been started")
        self._supervisor = Supervisor(state)

    def do(self, fault: Fault) -> None:
        """Do a fault and undo it; return when it is over, not when the stream has recovered."""
        subject, _, what = fault.kind.rpartition("-")
        match what:
            case "kill" if subject == "both":
                self._kill("score")
                self._kill("sink")
            case "kill":
                self._kill(subject)
            case "stop":
                with self._stopped(subject):
                    _pass(fault.lasts_s)
            case "pause":
                with _paused(self._processes(subject)):
                    _pass(fault.lasts_s)
            case "slow":
                self._slow(subject, fault.lasts_s)
            case "flush":
                self._flush()
            case "full":
                self._fill_disk(fault.lasts_s)
            case "aborted" | "raised" | "anew":
                self.of_topics.do(fault.kind)
            case "leaves" | "killed" | "ahead" | "behind":
                self._second_worker("sink" if "sink" in subject else "score", what, fault.lasts_s)
            case _:
                raise ValueError(fault.kind)

    def _pid(self, program: str) -> int:
        return self._supervisor.states()[program].pid

    def _kill(self, program: str) -> None:
        """Kill a process and wait until it is gone; its supervisor starts another."""
        pid = wait_until(lambda: self._pid(program), 60, f"{program} to run")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self._pid(program) != pid, 30, f"{program} to be gone")

    @contextlib.contextmanager
    def _stopped(self, program: str) -> Iterator[None]:
        wait_until(lambda: self._pid(program), 60, f"{program} to run")
        began_s = self.clock()
        self._supervisor.stop(program)
        took_s = self.clock() - began_s
        if program in ("score", "sink") and took_s > _STOP_WITHIN_S:
            self.slow_ends.append(f"{program} took {took_s:.1f} s")
        try:
            yield
        finally:
            self._supervisor.start(program)

    def _processes(self, program: str) -> list[psutil.Process]:
        process = psutil.Process(wait_until(lambda: self._pid(program), 60, f"{program} to run"))
        return [process, *process.children(recursive=True)]

    def _slow(self, program: str, lasts_s: float) -> None:
        """Give a process a quarter of the time."""
        processes = self._processes(program)
        ends_s = self.clock() + lasts_s
        while self.clock() < ends_s:
            with _paused(processes):
                _pass(_SLOW_STOPPED_S)
            _pass(_SLOW_RUNNING_S)

    def _flush(self) -> None:
        with connect_redis(self.settings.redis_connection) as client:
            client.flushall()

    def _fill_disk(self, lasts_s: float) -> None:
        if not self.disk.is_small:
            raise Skipped("only root can mount the small disk that is filled")
        self.disk.fill()
        try:
            _pass(lasts_s)
        finally:
            self.disk.free()

    def _second_worker(self, program: str, what: str, lasts_s: float) -> None:
        """Let a second process join the group, work and leave it."""
        days = {"ahead": _CLOCK_OFF_DAYS, "behind": -_CLOCK_OFF_DAYS}.get(what)
        command = (
            [MURMUR]
            if days is None
            else [sys.executable, "-m", "tests.torture.wrong_clock", str(days)]
        )
        worker = subprocess.Popen(
            [*command, program, "--probe-port", "0"],
            env={**os.environ, "MURMUR_HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _pass(6 + lasts_s)
            if what != "killed":
                began_s = self.clock()
                worker.terminate()
                worker.wait(timeout=60)
                took_s = self.clock() - began_s
                if took_s > _STOP_WITHIN_S:
                    self.slow_ends.append(f"the second {program} process took {took_s:.1f} s")
        finally:
            worker.kill()
            worker.wait()


@contextlib.contextmanager
def _paused(processes: list[psutil.Process]) -> Iterator[None]:
    _each(processes, psutil.Process.suspend)
    try:
        yield
    finally:
        _each(processes, psutil.Process.resume)


def _each(processes: list[psutil.Process], do: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            do(process)


def _pass(seconds: float) -> None:
    """Let time pass: a fault lasts as long as the plan says, whatever happens meanwhile."""
    threading.Event().wait(seconds)
