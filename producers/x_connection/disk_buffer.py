"""Lines on disk that memory had no room for: in order, bounded, safe from a kill."""

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from producers.x_connection.received_line import ReceivedLine

SEGMENT_BYTES: Final = 16 * 1024 * 1024
_FIRST_NUMBER: Final = 10**12
"""Segments are numbered on from the middle, so that older lines can be put before the others."""


class DiskBuffer:
    """A queue of lines in files of one folder.

    A line that `append` took outlives the process, and is read again until `release` has been
    called behind it: at least once. It outlives the machine once `close` has returned; a crash of
    the machine before that leaves a gap, which begins where the last line was published. So no
    line waits for the disk. At most about `limit_bytes`. A line that a crash cut in two is
    dropped, as it was never taken. Not for several threads at once.
    """

    def __init__(self, folder: Path, limit_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        self._writing: BinaryIO | None = None
        self._reading: BinaryIO | None = None
        self._read: list[Path] = []
        self._unread = self._segments()
        self._next_number = _number(self._unread[-1]) + 1 if self._unread else _FIRST_NUMBER
        self.size_bytes = sum(path.stat().st_size for path in self._unread)

    @property
    def has_unread(self) -> bool:
        """Whether there is anything that `read` has not yet returned."""
        return self._reading is not None or bool(self._unread)

    def append(self, lines: Iterable[ReceivedLine]) -> bool:
        """Store lines behind all others; False, with nothing stored, where there is no room.

        Raises `OSError` where the disk fails.
        """
        framed = b"".join(map(_framed, lines))
        if self.size_bytes + len(framed) > self._limit_bytes:
            return False
        if self._writing is None:
            path = self._folder / f"{self._next_number}.lines"
            self._next_number += 1
            self._writing = path.open("ab")
            self._unread.append(path)
        self._writing.write(framed)
        self._writing.flush()
        self.size_bytes += len(framed)
        if self._writing.tell() >= self._segment_bytes:
            self._finish_segment()
        return True

    def put_first(self, lines: Iterable[ReceivedLine]) -> None:
        """Store lines before all others, whatever the limit; nothing may be read afterwards."""
        framed = b"".join(map(_framed, lines))
        if not framed:
            return
        segments = self._segments()
        number = _number(segments[0]) - 1 if segments else self._next_number
        with (self._folder / f"{number}.lines").open("wb") as file:
            file.write(framed)
            file.flush()
            os.fsync(file.fileno())

    def read(self, count: int) -> list[ReceivedLine]:
        """Return up to `count` of the oldest unread lines; fewer only at the end of a segment."""
        while self._reading is not None or self._unread:
            if self._reading is None:
                path = self._unread.pop(0)
                self._read.append(path)
                if not self._unread:
                    self._finish_segment()
                self._reading = path.open("rb")
            taken = []
            for framed in self._reading:
                line = _unframed(framed)
                if line is not None:
                    taken.append(line)
                if len(taken) == count:
                    return taken
            self._reading.close()
            self._reading = None
            if taken:
                return taken
        return []

    def release(self) -> None:
        """Delete what has been read whole: it is safe elsewhere."""
        open_one = 1 if self._reading is not None else 0
        done = self._read[: len(self._read) - open_one]
        self._read = self._read[len(done) :]
        for path in done:
            self.size_bytes -= path.stat().st_size
            path.unlink()

    def close(self) -> None:
        """Close the files; what was not released stays, safe from a crash of the machine.

        Raises `OSError` where the disk fails.
        """
        self._finish_segment()
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _finish_segment(self) -> None:
        if self._writing is None:
            return
        file, self._writing = self._writing, None
        with file:
            os.fsync(file.fileno())

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob("*.lines"), key=_number)


def _number(path: Path) -> int:
    return int(path.stem)


def _framed(line: ReceivedLine) -> bytes:
    # A line has no line feed in it: it was split at them.
    return b"%s %s\n" % (line.received_at.isoformat().encode(), line.raw)


def _unframed(framed: bytes) -> ReceivedLine | None:
    if not framed.endswith(b"\n"):
        return None
    received_at, _, raw = framed[:-1].partition(b" ")
    try:
        return ReceivedLine(datetime.fromisoformat(received_at.decode("ascii")), raw)
    except (ValueError, UnicodeDecodeError):
        # What a crash left of a page that was never written to the disk.
        return None
