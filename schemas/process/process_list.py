"""Murmur's long-running processes: the one list that whoever starts, asks or scrapes them reads."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Need(StrEnum):
    """A server or a secret, by the name of its setting."""

    KAFKA = "kafka"
    POSTGRES = "postgres"
    REDIS = "redis"
    X_TOKEN = "x_bearer_token"  # noqa: S105  the name of a need, no secret


@dataclass(frozen=True)
class ProcessSpec:
    """A process that runs until it is stopped.

    `name` is unique, stands in logs, and may be part of a file's name. `command` is what follows
    `murmur`. `probe_port` is where /metrics, /healthz and /readyz are unless `--probe-port` says
    otherwise; no two processes share one. `needs` are the servers and secrets without which it
    cannot do all of its work. `embedded`: `murmur up` starts it and keeps it up.
    """

    name: str
    command: tuple[str, ...]
    probe_port: int
    needs: frozenset[Need]
    embedded: bool


SCORE: Final = ProcessSpec(
    name="score",
    command=("score",),
    probe_port=9101,
    needs=frozenset({Need.KAFKA}),
    embedded=True,
)
SINK: Final = ProcessSpec(
    name="sink",
    command=("sink",),
    probe_port=9102,
    needs=frozenset({Need.KAFKA, Need.POSTGRES, Need.REDIS}),
    embedded=True,
)
STREAM: Final = ProcessSpec(
    name="stream",
    command=("stream",),
    probe_port=9103,
    needs=frozenset({Need.KAFKA, Need.POSTGRES, Need.X_TOKEN}),
    embedded=False,
)
COMPLIANCE_STREAM: Final = ProcessSpec(
    name="compliance-stream",
    command=("compliance", "stream"),
    probe_port=9104,
    needs=frozenset({Need.KAFKA, Need.POSTGRES, Need.X_TOKEN}),
    embedded=False,
)
WATCH: Final = ProcessSpec(
    name="watch",
    command=("watch",),
    probe_port=9105,
    needs=frozenset({Need.KAFKA, Need.POSTGRES}),
    embedded=True,
)
RETRAIN_WATCH: Final = ProcessSpec(
    name="retrain-watch",
    command=("retrain", "watch"),
    probe_port=9106,
    needs=frozenset({Need.KAFKA, Need.POSTGRES}),
    embedded=False,
)
SERVE: Final = ProcessSpec(
    name="serve",
    command=("serve",),
    probe_port=9107,
    needs=frozenset({Need.KAFKA, Need.POSTGRES, Need.REDIS}),
    embedded=False,
)
SHADOW: Final = ProcessSpec(
    name="shadow",
    command=("shadow",),
    probe_port=9108,
    needs=frozenset({Need.KAFKA, Need.POSTGRES}),
    embedded=False,
)
GUARD: Final = ProcessSpec(
    name="guard",
    command=("models", "guard"),
    probe_port=9109,
    needs=frozenset({Need.KAFKA, Need.POSTGRES}),
    embedded=False,
)

PROCESSES: Final = (
    SCORE,
    SINK,
    STREAM,
    COMPLIANCE_STREAM,
    WATCH,
    RETRAIN_WATCH,
    SERVE,
    SHADOW,
    GUARD,
)
"""Every long-running process, in the order of the probe ports."""

EMBEDDED: Final = tuple(process for process in PROCESSES if process.embedded)
"""Those that `murmur up` keeps up, in the order in which they are started and stopped."""

WANTED: Final = tuple(process for process in PROCESSES if not process.embedded)
"""Those that it keeps up only where a setting names them."""
