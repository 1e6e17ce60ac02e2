"""Between reader and publisher: memory first, then disk, then it refuses."""

import threading
from collections import deque

from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.received_line import ReceivedLine


class LineBuffer:
    """A bounded queue in the order of arrival, between one reader and one publisher.

    `put` never waits for the publisher: what memory has no room for goes to disk. What was
    taken and not called `done` is still owned by the buffer, and `close` keeps it.
    """

    def __init__(self, spill: DiskBuffer, memory_lines: int) -> None:
        self._spill = spill
        self._memory_lines = memory_lines
        self._memory: deque[ReceivedLine] = deque()
        self._in_hand: list[ReceivedLine] = []
        self._changed = threading.Condition()
        self._refused = False

    @property
    def waiting_lines(self) -> int:
        """Lines in memory that are not done; those on disk are not counted."""
        return len(self._memory) + len(self._in_hand)

    @property
    def spilled_bytes(self) -> int:
        """How much is on disk."""
        return self._spill.size_bytes

    @property
    def backlog(self) -> int:
        """How much is not done: lines in memory, and one for whatever is on disk. Never waits."""
        on_disk = self._spill.size_bytes > 0 or self._spill.has_unread
        return self.waiting_lines + int(on_disk)

    @property
    def has_room(self) -> bool:
        """False from a refusal until there is room in memory again, so that it is worth it."""
        with self._changed:
            if self._refused and not self._spill.has_unread and not self._spill.size_bytes:
                self._refused = False
            return not self._refused

    def put(self, line: ReceivedLine) -> bool:
        """Take a line; False where neither memory nor disk can."""
        with self._changed:
            if not self._spill.has_unread and len(self._memory) < self._memory_lines:
                self._memory.append(line)
            elif not self._spilled(line):
                self._refused = True
                return False
            self._changed.notify()
            return True

    def take(self, count: int, wait_s: float) -> list[ReceivedLine]:
        """Return the oldest lines, waiting at most `wait_s` for the first; `done` must follow."""
        with self._changed:
            if not self._memory and not self._spill.has_unread:
                self._changed.wait(wait_s)
            if self._memory:
                self._in_hand = [
                    self._memory.popleft() for _ in range(min(count, len(self._memory)))
                ]
                return self._in_hand
            lines = self._spill.read(count)
            if not lines:
                self._spill.release()
            return lines

    def done(self) -> None:
        """Note that all that was taken is safe elsewhere."""
        with self._changed:
            self._in_hand = []
            self._spill.release()

    def close(self) -> None:
        """Move to disk what is not done. Raises `OSError` where the disk fails."""
        with self._changed:
            self._spill.put_first([*self._in_hand, *self._memory])
            self._in_hand = []
            self._memory.clear()
            self._spill.close()

    def _spilled(self, line: ReceivedLine) -> bool:
        try:
            return self._spill.append([line])
        except OSError:
            return False
