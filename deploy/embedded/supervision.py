"""Talking to a stack's supervisor: starting it, asking it, ending it."""

import http.client
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.embedded.layout import Layout
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.stack_state import StackState
from deploy.embedded.supervisor_config import SUPERVISOR_USER
from schemas.failures import Failure

_ANSWER_TIMEOUT_S = 60.0
"""Longer than any program of ours may take to stop."""

_NO_FILE, _NOT_EXECUTABLE = 20, 21
_ALREADY_STARTED, _NOT_RUNNING = 60, 70
"""Fault codes of the supervisor's XML-RPC interface (supervisor.xmlrpc.Faults)."""


@dataclass(frozen=True)
class ProcessState:
    """What the supervisor knows of a program. `pid` is 0 and `uptime_s` 0 where it is down."""

    name: str
    state: str
    pid: int
    uptime_s: float


class Supervisor:
    """A client of one stack's supervisor."""

    def __init__(self, state: StackState) -> None:
        self._url = (
            f"http://{SUPERVISOR_USER}:{state.supervisor_password}"
            f"@{LOOPBACK}:{state.ports['supervisor']}/RPC2"
        )

    def answers(self) -> bool:
        """Tell whether this stack's own supervisor is there (a stranger would not know us)."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def states(self) -> dict[str, ProcessState]:
        """Return the state of each program."""
        return {
            info["name"]: ProcessState(
                name=info["name"],
                state=info["statename"].lower(),
                pid=info["pid"],
                uptime_s=max(0.0, float(info["now"] - info["start"])) if info["pid"] else 0.0,
            )
            for info in self._call("getAllProcessInfo")
        }

    def start(self, program: str) -> None:
        """Start a program unless it runs; do not wait for it."""
        try:
            self._call("startProcess", program, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in (_NO_FILE, _NOT_EXECUTABLE):
                raise Failure(f"{program} cannot be started: {fault.faultString}") from fault
            if fault.faultCode != _ALREADY_STARTED:
                raise

    def stop(self, program: str) -> None:
        """Stop a program and wait until it has ended."""
        try:
            self._call("stopProcess", program, True)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != _NOT_RUNNING:
                raise

    def reread(self) -> list[str]:
        """Take a changed configuration file in; return the programs that differ in it, by name.

        They are stopped, and whoever calls starts them again. All others go on running.
        """
        ((added, changed, removed),) = self._call("reloadConfig")
        for program in (*changed, *removed):
            self.stop(program)
            self._call("removeProcessGroup", program)
        for program in (*added, *changed):
            self._call("addProcessGroup", program)
        return sorted((*added, *changed, *removed))

    def end(self) -> None:
        """Have the supervisor end itself and whatever it still runs; do not wait for it."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: Any) -> Any:
        with xmlrpc.client.ServerProxy(self._url, transport=_PatientTransport()) as server:
            return getattr(server.supervisor, method)(*arguments)


def supervisor_command(layout: Layout) -> tuple[str, ...]:
    """Return the command line of a stack's supervisor."""
    return (sys.executable, "-m", "supervisor.supervisord", "-c", str(layout.supervisor_config))


def start_supervisor(layout: Layout, state: StackState, environment: Mapping[str, str]) -> None:
    """Start the supervisor, which goes to the background, and wait until it answers."""
    command = supervisor_command(layout)
    # What it prints is left out: its messages may hold the whole environment, secrets included.
    status = subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    ).returncode
    supervisor = Supervisor(state)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and status == 0:
        if supervisor.answers():
            return
        time.sleep(0.05)
    reason = f"exit status {status}" if status else "it does not answer"
    raise Failure(f"the supervisor did not start ({reason}); to see why, run {shlex.join(command)}")


class _PatientTransport(xmlrpc.client.Transport):
    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = _ANSWER_TIMEOUT_S
        return connection
