"""When to connect again: X's documented waits as a pure function of what happened.

https://docs.x.com/x-api/fundamentals/handling-disconnections: at once after a disconnect; network
faults linearly from 250 ms to 16 s; HTTP faults from 5 s, doubling to 320 s; 429 from 60 s,
doubling. And at most 50 connects in 15 minutes.
"""

from dataclasses import dataclass, replace
from typing import Final

from producers.x_connection.connection_end import ConnectionEnd, Ending

NETWORK_STEP_S: Final = 0.25
NETWORK_LONGEST_S: Final = 16.0
HTTP_FIRST_S: Final = 5.0
HTTP_LONGEST_S: Final = 320.0
RATE_LIMIT_FIRST_S: Final = 60.0
RATE_LIMIT_LONGEST_S: Final = 960.0
"""X names no end of the doubling; its windows have fifteen minutes."""

PROVEN_AFTER_S: Final = 60.0
"""A connection that lived so long and brought something was sound: what was before is forgotten."""

WINDOW_S: Final = 900.0
CONNECTS_IN_WINDOW: Final = 45
"""X allows 50; some are left to a person who looks for a fault meanwhile."""

_BY_OURSELVES: Final = frozenset(
    [Ending.STOPPED, Ending.SPEND_GUARD, Ending.BUFFER_FULL, Ending.UNANSWERED]
)
_FAULTS_OF_HTTP: Final = frozenset([Ending.HTTP, Ending.TOO_MANY, Ending.CLIENT_FAULT])


@dataclass(frozen=True)
class Attempts:
    """What the next wait depends on. `connects` are the times (s) of those in the last window.

    `allowed_connects` is how many there may be in one.
    """

    network_faults: int = 0
    http_faults: int = 0
    rate_limits: int = 0
    connects: tuple[float, ...] = ()
    allowed_connects: int = CONNECTS_IN_WINDOW


def connecting(attempts: Attempts, now_s: float) -> Attempts:
    """Return the state after one more connect."""
    recent = tuple(at for at in attempts.connects if at > now_s - WINDOW_S)
    return replace(attempts, connects=(*recent, now_s))


def after(attempts: Attempts, outcome: ConnectionEnd, now_s: float) -> tuple[Attempts, float]:
    """Return the new state and how many seconds to wait before the next connect."""
    if outcome.accepted and outcome.lines and outcome.lived_s >= PROVEN_AFTER_S:
        attempts = replace(attempts, network_faults=0, http_faults=0, rate_limits=0)
    attempts, wait_s = _counted(attempts, outcome)
    return attempts, max(wait_s, outcome.asked_wait_s, _until_allowed_s(attempts, now_s))


def _counted(attempts: Attempts, outcome: ConnectionEnd) -> tuple[Attempts, float]:
    if outcome.ending in _BY_OURSELVES:
        return attempts, 0.0
    if outcome.ending is Ending.RATE_LIMITED:
        wait_s = min(RATE_LIMIT_FIRST_S * 2**attempts.rate_limits, RATE_LIMIT_LONGEST_S)
        return replace(attempts, rate_limits=min(attempts.rate_limits + 1, 10)), wait_s
    # Accepted, and closed with nothing said: a fault of X's side, however it looks to TCP.
    closed_at_once = outcome.accepted and not outcome.lines and outcome.ending is not Ending.SILENT
    if closed_at_once or outcome.ending in _FAULTS_OF_HTTP:
        wait_s = min(HTTP_FIRST_S * 2**attempts.http_faults, HTTP_LONGEST_S)
        return replace(attempts, http_faults=min(attempts.http_faults + 1, 10)), wait_s
    wait_s = min(NETWORK_STEP_S * attempts.network_faults, NETWORK_LONGEST_S)
    faults = min(attempts.network_faults + 1, int(NETWORK_LONGEST_S / NETWORK_STEP_S))
    return replace(attempts, network_faults=faults), wait_s


def _until_allowed_s(attempts: Attempts, now_s: float) -> float:
    recent = [at for at in attempts.connects if at > now_s - WINDOW_S]
    if len(recent) < attempts.allowed_connects:
        return 0.0
    return recent[-attempts.allowed_connects] + WINDOW_S - now_s
