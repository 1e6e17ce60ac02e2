"""Counting what a topic's retention deleted before it was read."""

import threading
from collections.abc import Callable, Iterable, Mapping

from schemas.transport.messages import Partition


class ExpiredUnread:
    """Follows the next offset of each partition that a process reads, and notices what is gone.

    A message is lost if the partition's low watermark passes the offset that was to be read next:
    seen at the assignment, where the low watermark is asked for now and then, and where offsets
    jump. Gaps that compaction or transaction markers leave are none. Each loss is reported once to
    `lost`, with its number of messages. A message that waits in the client while its offset expires
    is counted and still read. May be used from several threads.
    """

    def __init__(self, lost: Callable[[Partition, int], None]) -> None:
        self._lost = lost
        self._next: dict[Partition, int] = {}
        self._lock = threading.RLock()

    def assigned(self, next_offsets: Mapping[Partition, int]) -> None:
        """Forget other partitions; these are read next at these offsets.

        A partition that was never read from is left out: what expired before was nobody's to read.
        """
        with self._lock:
            self._next = dict(next_offsets)

    def read(
        self, offsets: Iterable[tuple[Partition, int]], low_of: Callable[[Partition], int]
    ) -> None:
        """Note the offsets of messages that were read; `low_of` is asked only where they jump."""
        with self._lock:
            for partition, offset in offsets:
                expected = self._next.get(partition, offset)
                if offset > expected:
                    self.low(partition, min(offset, low_of(partition)))
                if offset >= expected:
                    self._next[partition] = offset + 1

    def nothing_before(self, partition: Partition, offset: int) -> None:
        """Note that what was not read before an offset is no message, but marks of transactions."""
        with self._lock:
            expected = self._next.get(partition)
            if expected is not None and expected < offset:
                self._next[partition] = offset

    def low(self, partition: Partition, low: int) -> None:
        """Note a partition's low watermark."""
        with self._lock:
            expected = self._next.get(partition)
            if expected is None or low <= expected:
                return
            self._next[partition] = low
        self._lost(partition, low - expected)
