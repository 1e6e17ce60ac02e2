"""How a connection, or the attempt at one, ended."""

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """Why there is no connection. Few and stable: they stand in gaps and in metrics."""

    CLOSED = "closed-by-x"
    RESET = "connection-lost"
    UNREACHABLE = "unreachable"
    HTTP = "http-error"
    RATE_LIMITED = "rate-limited"
    SILENT = "silent-stall"
    QUIET = "no-posts"
    CLIENT_FAULT = "client-fault"
    BUFFER_FULL = "buffer-full"
    SPEND_GUARD = "spend-guard"
    STOPPED = "stopped"
    KILLED = "process-ended"


@dataclass(frozen=True)
class Outcome:
    """How one call to X ended. `accepted`: X answered 200. `lines` has heartbeats among them.

    `asked_wait_s` is what X's answer asks for, 0 where it asks for nothing.
    """

    ending: Ending
    accepted: bool = False
    lines: int = 0
    lived_s: float = 0.0
    status: int | None = None
    asked_wait_s: float = 0.0
