"""How a connection, or the attempt at one, ended."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from producers.x_account.client import ADVICE


class Ending(StrEnum):
    """Why there is no connection. Few and stable: they stand in gaps and in metrics."""

    CLOSED = "closed-by-x"
    RESET = "connection-lost"
    UNREACHABLE = "unreachable"
    HTTP = "http-error"
    RATE_LIMITED = "rate-limited"
    TOO_MANY = "too-many-connections"
    SILENT = "silent-stall"
    QUIET = "no-posts"
    UNANSWERED = "fields-missing"
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

_ADVICE: Final = ADVICE | {
    400: "X rejected the request: may this account use MURMUR_X_BACKFILL_MINUTES?",
    403: "X says that the account has no access to this stream",
    409: "X has no rules: run `murmur rules apply`",
}
_REFUSED: Final = frozenset([401, 403])


@dataclass(frozen=True)
class ConnectionEnd:
    """How one call to X ended. `accepted`: X answered 200. `lines` has heartbeats among them.

    `asked_wait_s` is what X's answer asks for, 0 where it asks for nothing. `said` is what X gave
    as its reason, or what is in the way to it; `by_x` tells whether a refusal is X's own, and not
    that of something between.
    """

    ending: Ending
    accepted: bool = False
    lines: int = 0
    lived_s: float = 0.0
    status: int | None = None
    asked_wait_s: float = 0.0
    said: str = ""
    by_x: bool = True

    @property
    def is_final(self) -> bool:
        """Whether another attempt would be refused too, until a person mends something.

        A 401 or 403 of X's own, unless it is about connections that are taken. One that does not
        speak as X does, such as a page of a proxy's, may pass.
        """
        return self.ending is Ending.HTTP and self.status in _REFUSED and self.by_x

    @property
    def advice(self) -> str:
        """What a person may have to mend, empty where it will mend itself."""
        return _ADVICE.get(self.status or 0, "")

    @property
    def reason(self) -> str:
        """What a person may have to mend, and what X says or what is in the way, on one line."""
        if self.advice and self.said:
            return f"{self.advice} (X says: {self.said})"
        return self.advice or self.said

    @property
    def told(self) -> str:
        """How it ended, and the reason where one is known, on one line."""
        return f"{self.ending}: {self.reason}" if self.reason else self.ending.value
