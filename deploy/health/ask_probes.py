"""Asking the processes of this machine, or of this container, how they are."""

import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from schemas.process.process_list import ProcessSpec

_TIMEOUT_S: Final = 3.0

Probe = Literal["healthz", "readyz"]


@dataclass(frozen=True)
class ProbeAnswer:
    """What a process says of itself; `ok` as its probe does."""

    process: str
    ok: bool
    detail: str


def ask_probes(processes: Iterable[ProcessSpec], probe: Probe) -> list[ProbeAnswer]:
    """Ask each process on its usual port of the loopback; those that do not listen are left out."""
    answers = (ask_probe(process.name, process.probe_port, probe) for process in processes)
    return [answer for answer in answers if answer is not None]


def ask_probe(process: str, port: int, probe: Probe) -> ProbeAnswer | None:
    """Ask one process; None where nothing listens on the port.

    One that listens and does not answer within some seconds is not well.
    """
    # Not through a proxy that the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/{probe}", timeout=_TIMEOUT_S) as answer:
            return ProbeAnswer(process, True, answer.read().decode(errors="replace").strip())
    except urllib.error.HTTPError as error:
        return ProbeAnswer(process, False, error.read().decode(errors="replace").strip())
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return None
        return ProbeAnswer(process, False, f"no answer ({error.reason})")
    except OSError as error:
        return ProbeAnswer(process, False, f"no answer ({type(error).__name__})")
