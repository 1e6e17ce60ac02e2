"""How much a file may unpack to: what unpacks to far more was made to fill a machine."""

import io
from collections.abc import Iterator
from typing import BinaryIO, Final

MOST_TIMES: Final = 200
"""How many bytes may come of each byte of a file. JSON and tables of tweets unpack to 5 to 30."""

FREE_BYTES: Final = 64 * 1024 * 1024
"""What any file may unpack to: repeated lines, as tests write them, unpack to far more."""


FREE_LINES: Final = 25_000
"""How many lines any file may unpack to: even an empty one takes its microseconds."""

BYTES_A_LINE: Final = 4
"""And one more for so many bytes of the file. A line of a table of tweets takes 20 and more."""


class DamagedFile(Exception):
    """The stored data ends early or makes no sense; what came before it is good."""


class Expansion:
    """Counts what was read and what came of it; one for all that one file unpacks to."""

    def __init__(self, stored_bytes: int = 0) -> None:
        self.stored_bytes = stored_bytes
        self._unpacked_bytes = self._lines = 0

    def bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pieces; raise `DamagedFile` where they are more than any archive's."""
        for piece in pieces:
            self._unpacked_bytes += len(piece)
            self._lines += max(piece.count(b"\n"), piece.count(b"\r"))
            if self._lines > FREE_LINES + self.stored_bytes // BYTES_A_LINE:
                raise DamagedFile(
                    f"it unpacks to more than a line for every {BYTES_A_LINE} bytes of it, as no "
                    "archive of tweets does: unpack it yourself if it is one"
                )
            if self._unpacked_bytes > FREE_BYTES + MOST_TIMES * self.stored_bytes:
                raise DamagedFile(
                    f"it unpacks to more than {MOST_TIMES} times its size, as no archive of tweets "
                    "does: unpack it yourself if it is one"
                )
            yield piece


class CountedFile(io.RawIOBase):
    """A file, read forwards, that tells an `Expansion` how much of it was read."""

    def __init__(self, file: BinaryIO, expansion: Expansion) -> None:
        self._file = file
        self._expansion = expansion

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def read(self, size_bytes: int = -1, /) -> bytes:
        """Return so many bytes, fewer only at the end."""
        read = self._file.read(size_bytes)
        self._expansion.stored_bytes += len(read)
        return read
