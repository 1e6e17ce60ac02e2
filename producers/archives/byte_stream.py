"""Pieces of a file read like a file, forwards only."""

import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from producers.archives.expansion import DamagedFile


class ByteStream:
    """Takes exact numbers of bytes from pieces of any size."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""
        self.offset_bytes = 0

    def read(self, size_bytes: int) -> bytes:
        """Return so many bytes, fewer only at the end. Raises what the pieces raise."""
        parts: list[bytes] = []
        missing = size_bytes
        while missing:
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                break
            parts.append(piece[:missing])
            self._rest = piece[missing:]
            missing -= len(parts[-1])
        self.offset_bytes += size_bytes - missing
        return b"".join(parts)

    def pieces(self, size_bytes: int) -> Iterator[bytes]:
        """Yield so many bytes in pieces; raise `DamagedFile` where there are fewer."""
        while size_bytes:
            piece = self.read(min(size_bytes, 128 * 1024))
            if not piece:
                raise DamagedFile(f"the tar ends {size_bytes} bytes too early")
            size_bytes -= len(piece)
            yield piece


class PieceFile(io.RawIOBase):
    """Pieces as a file that is read once, from its start."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fill a buffer as far as the next piece goes; 0 at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken


def looked_at(
    pieces: Iterator[bytes],
    size_bytes: int,
    *,
    enough: Callable[[bytes], bool] = lambda _beginning: False,
) -> tuple[bytes, Iterator[bytes]]:
    """Return the first pieces, of at least so many bytes in all, and all pieces again.

    Fewer bytes are read where those that are there are `enough`. What the pieces raise is raised
    when they are read, never here.
    """
    taken: list[bytes] = []
    size = 0
    failure: DamagedFile | OSError | None = None
    try:
        while size < size_bytes and (piece := next(pieces, b"")):
            taken.append(piece)
            size += len(piece)
            if enough(piece if len(taken) == 1 else b"".join(taken)):
                break
    except (DamagedFile, OSError) as error:
        failure = error
    return b"".join(taken), _again(taken, failure, pieces)


def none_if_empty(pieces: Iterator[bytes]) -> Iterator[bytes] | None:
    """Return the pieces again, None where there are none; what they raise is something."""
    try:
        first = next(pieces, b"")
    except (DamagedFile, OSError) as error:
        return _then_raising([], error)
    return chain([first], pieces) if first else None


def _again(
    taken: list[bytes], failure: DamagedFile | OSError | None, pieces: Iterator[bytes]
) -> Iterator[bytes]:
    if failure is None:
        return chain(taken, pieces)
    return _then_raising(taken, failure)


def _then_raising(taken: list[bytes], failure: DamagedFile | OSError) -> Iterator[bytes]:
    yield from taken
    raise failure
