"""Is the connection still one? Silence of the wire and silence of the posts, told apart."""

from dataclasses import dataclass

from producers.x_connection.connection_end import Ending


@dataclass(frozen=True)
class StallLimits:
    """How long, in seconds, a connection may be silent, or bring no post (0: for ever)."""

    silence_s: float
    quiet_s: float


def verdict(
    patience: StallLimits, now_s: float, last_line_s: float, last_post_s: float
) -> Ending | None:
    """Return why a connection has to be given up, None while it is sound.

    Heartbeats are lines: X sends one at least every 20 s. Bytes that never make a line are
    silence too. Both times begin at the connect.
    """
    if now_s - last_line_s > patience.silence_s:
        return Ending.SILENT
    if patience.quiet_s and now_s - last_post_s > patience.quiet_s:
        return Ending.QUIET
    return None
