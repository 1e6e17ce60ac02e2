"""What is received: one line of the stream and when it came."""

from datetime import datetime
from typing import NamedTuple


class ReceivedLine(NamedTuple):
    """A line as X sent it, without its end; a heartbeat is an empty one."""

    received_at: datetime
    raw: bytes

    @property
    def is_post(self) -> bool:
        """Whether X may have charged for it: everything but a heartbeat."""
        return bool(self.raw.strip())
