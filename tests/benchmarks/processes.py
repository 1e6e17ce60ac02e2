"""CPU and memory of processes, their children included."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """CPU seconds, user and system together, and resident bytes."""

    cpu_s: float
    resident_bytes: int


def usage(pid: int) -> Usage:
    """Return what a process and its living children use; children that ended count too."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    cpu_s = times.user + times.system + times.children_user + times.children_system
    resident_bytes = process.memory_info().rss
    for child in process.children(recursive=True):
        try:
            own = child.cpu_times()
            memory = child.memory_info()
        except psutil.NoSuchProcess:
            continue
        cpu_s += own.user + own.system
        resident_bytes += memory.rss - memory.shared
    return Usage(cpu_s, resident_bytes)


def usages(pids: Iterable[tuple[str, int]]) -> dict[str, Usage]:
    """Return the usage of each named process."""
    return {name: usage(pid) for name, pid in pids}
