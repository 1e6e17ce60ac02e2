"""Readers of X's streams, each in a thread of its own, stopped together."""

import threading
import time
from collections.abc import Sequence
from typing import Final

from producers.x_connection.reader import StreamReader

_JOIN_S: Final = 0.5
"""How long a stop waits for all of them. One that is still connecting ends with the process."""


class ReaderThreads:
    """Runs readers in the background; they do not outlive the process."""

    def __init__(self, readers: Sequence[StreamReader]) -> None:
        self._readers = readers
        self._threads = [
            threading.Thread(target=reader.run, name=reader.stream, daemon=True)
            for reader in readers
        ]

    def start(self) -> None:
        """Let all of them read."""
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """Tell whether none has ended: by a fault, or because X forbids its stream."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """End all of them, within a moment."""
        for reader in self._readers:
            reader.stop()
        give_up_at_s = time.monotonic() + _JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, give_up_at_s - time.monotonic()))
