"""Ports of the loopback: picked free once, kept while nobody else takes them."""

import random
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping

LOOPBACK = "127.0.0.1"

_FIRST, _LAST = 20_000, 32_000
"""Below the range from which systems give ports to outgoing connections (Linux: from 32768), so
that a server that restarts does not find its port taken by somebody's connection."""


def settle_ports(
    names: Iterable[str],
    remembered: Mapping[str, int],
    candidates: Iterator[int],
    is_free: Callable[[int], bool],
) -> dict[str, int]:
    """Return a port for each name: the remembered one while it is free, else a new one."""
    ports: dict[str, int] = {}
    for name in names:
        port = remembered.get(name)
        taken = {*remembered.values(), *ports.values()} - {port}
        if port is None or not is_free(port):
            port = next(p for p in candidates if p not in taken and is_free(p))
        ports[name] = port
    return ports


def candidate_ports(generator: random.Random) -> Iterator[int]:
    """Yield ports to try, without end."""
    while True:
        yield generator.randint(_FIRST, _LAST)


def is_free_port(port: int) -> bool:
    """Tell whether a server could listen on a port of the loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: connections that linger after their end do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
