"""How many of the last messages became dead letters."""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

FORGET_AFTER_S: Final = 3600.0
"""A slow stream's flood of an hour ago says nothing of now."""

_CHUNKS_IN_A_WINDOW: Final = 20


class Chunk(Struct, frozen=True):
    """Messages of one partition that were processed one after the other; the time is of the last.

    Times are seconds since 1970, so that processes may share them.
    """

    at_s: float
    messages: int
    letters: int


class Excess(Struct, frozen=True, kw_only=True):
    """More dead letters than allowed: so many of so many messages."""

    letters: int
    messages: int


class DeadLetterRatio:
    """Tells whether more than `most_ratio` of the last `window_messages` became dead letters.

    Says nothing before so many messages were seen, and counts in chunks, so that a window is up to
    a chunk longer. `clock` gives seconds since 1970.
    """

    def __init__(
        self, clock: Callable[[], float], *, most_ratio: float, window_messages: int
    ) -> None:
        self._clock = clock
        self._most_ratio = most_ratio
        self._window_messages = window_messages
        self._chunks: dict[int, list[Chunk]] = {}

    def add(self, partition: int, messages: int, letters: int) -> None:
        """Count messages of a partition that were processed now."""
        chunks = self._chunks.setdefault(partition, [])
        last = chunks[-1] if chunks else None
        if last is not None and last.messages * _CHUNKS_IN_A_WINDOW < self._window_messages:
            chunks.pop()
            messages, letters = messages + last.messages, letters + last.letters
        chunks.append(Chunk(self._clock(), messages, letters))
        self._chunks[partition] = self._newest(chunks)

    def replace(self, partition: int, chunks: Iterable[Chunk]) -> None:
        """Take over what another process counted of a partition."""
        self._chunks[partition] = self._newest(sorted(chunks, key=lambda chunk: chunk.at_s))

    def chunks(self, partition: int) -> list[Chunk]:
        """Return what another process needs to go on counting a partition."""
        return list(self._chunks.get(partition, ()))

    def clear(self) -> None:
        """Forget everything: what comes now is judged by itself."""
        self._chunks.clear()

    def excess(self) -> Excess | None:
        """Return the excess over the last messages of all partitions, or None."""
        every = [chunk for _, chunks in sorted(self._chunks.items()) for chunk in chunks]
        window = self._newest(sorted(every, key=lambda chunk: chunk.at_s))
        found = Excess(
            letters=sum(chunk.letters for chunk in window),
            messages=sum(chunk.messages for chunk in window),
        )
        if found.messages < self._window_messages or not exceeds(found, self._most_ratio):
            return None
        return found

    def _newest(self, chunks: list[Chunk]) -> list[Chunk]:
        """Return the last chunks that make a window; `chunks` are in the order of time."""
        oldest_s = self._clock() - FORGET_AFTER_S
        messages, newest = 0, []
        for chunk in reversed(chunks):
            if messages >= self._window_messages or chunk.at_s < oldest_s:
                break
            messages += chunk.messages
            newest.append(chunk)
        return newest[::-1]


def exceeds(found: Excess, most_ratio: float) -> bool:
    """Tell whether there are more dead letters than a ratio allows."""
    return found.letters > most_ratio * found.messages
