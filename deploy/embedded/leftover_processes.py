"""Finding and ending a stack's processes without its supervisor, by their command lines."""

from collections.abc import Iterable, Sequence

import msgspec
import psutil

from deploy.embedded.layout import Layout
from schemas.private_files import write_private

_END_TIMEOUT_S = 30.0


def remember_commands(layout: Layout, commands: Iterable[Sequence[str]]) -> None:
    """Write down what is about to be started, so that it can be found after any crash."""
    write_private(layout.programs, msgspec.json.encode(list(commands)).decode())


def remembered_commands(layout: Layout) -> list[list[str]]:
    """Return the command lines that were last started, the supervisor's first."""
    try:
        return msgspec.json.decode(layout.programs.read_bytes(), type=list[list[str]])
    except FileNotFoundError:
        return []


def end_processes(commands: Iterable[Sequence[str]]) -> int:
    """End every process that has one of these command lines; return how many there were.

    A command line names a file or port of one stack, so no number that another process has got
    meanwhile can be mistaken for one of ours. They are asked first and killed after 30 s.
    """
    found = _find(commands)
    for process in found:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(found, timeout=_END_TIMEOUT_S)
    for process in alive:
        _signal(process, kill=True)
    psutil.wait_procs(alive, timeout=_END_TIMEOUT_S)
    return len(found)


def runs(pid: int) -> bool:
    """Tell whether there is a process of this number."""
    return bool(psutil.pid_exists(pid))


def has_command(pid: int, command: Sequence[str]) -> bool:
    """Tell whether the process of this number runs with this command line."""
    try:
        return list(psutil.Process(pid).cmdline()) == list(command)
    except psutil.Error:
        return False


def _find(commands: Iterable[Sequence[str]]) -> list[psutil.Process]:
    wanted = {tuple(command) for command in commands}
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if tuple(process.info["cmdline"] or ()) in wanted
    ]


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
