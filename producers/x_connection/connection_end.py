"""How a connection, or the attempt at one, ended."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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


PAUSES: Final = {
    Ending.SPEND_GUARD: "MURMUR_X_MONTHLY_POSTS is reached, until the month ends or it is raised",
    Ending.BUFFER_FULL: "memory and disk are full, until Kafka has taken what waits",
}
"""Why no connection is made for a while, as people are told."""

_ADVICE: Final = {
    400: "X rejected the request: may this account use MURMUR_X_BACKFILL_MINUTES?",
    401: "X rejected the token (401): check MURMUR_X_BEARER_TOKEN",
    403: "X says that the account has no access to the filtered stream",
    409: "X has no rules: run `murmur rules apply`",
}


@dataclass(frozen=True)
class ConnectionEnd:
    """How one call to X ended. `accepted`: X answered 200. `lines` has heartbeats among them.

    `asked_wait_s` is what X's answer asks for, 0 where it asks for nothing.
    """

    ending: Ending
    accepted: bool = False
    lines: int = 0
    lived_s: float = 0.0
    status: int | None = None
    asked_wait_s: float = 0.0

    @property
    def advice(self) -> str:
        """What a person may have to mend, empty where it will mend itself."""
        return _ADVICE.get(self.status or 0, "")
