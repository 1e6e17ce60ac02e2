"""Pieces of a file to lines: bounded in length, numbered, damage told at its place."""

from collections.abc import Iterable, Iterator
from typing import Final

from producers.archives.compression import DamagedFile
from producers.archives.records import Lines, Record, Unreadable
from schemas.codec import Reason

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
KEPT_BYTES: Final = 64 * 1024
"""How much is kept of a line above `MAX_LINE_BYTES`."""

_UTF8_BOM: Final = b"\xef\xbb\xbf"


class LineReader:
    """Splits pieces at line feeds; a carriage return before one, and a first BOM, are dropped.

    Every line becomes one record. A line above `MAX_LINE_BYTES` becomes an unreadable one that
    keeps its beginning. Where the pieces end in `DamagedFile` or `OSError`, the last record is an
    unreadable one with the line that was cut, and `damage` says what happened. Memory is bounded
    by one line and one piece.
    """

    def __init__(self, pieces: Iterable[bytes], max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._pieces = pieces
        self._max_line_bytes = max_line_bytes
        self.lines = 0
        self.damage: str | None = None
        self._cut = b""

    def __iter__(self) -> Lines:
        """Yield the lines; may be called once."""
        for raw, overlong in self._bounded():
            self.lines += 1
            line = raw.removeprefix(_UTF8_BOM) if self.lines == 1 else raw
            if overlong:
                line = line[:KEPT_BYTES]
                detail = f"the line is longer than {self._max_line_bytes} bytes"
                yield Record(self.lines, line, Unreadable(Reason.TOO_LARGE, detail))
            else:
                yield Record(self.lines, line.removesuffix(b"\r"))
        if self.damage is not None:
            unreadable = Unreadable(Reason.UNREADABLE_LINE, self.damage)
            yield Record(self.lines + 1, self._cut, unreadable)

    def _bounded(self) -> Iterator[tuple[bytes, bool]]:
        begun, size_bytes = b"", 0
        try:
            for piece in self._pieces:
                first, *others = piece.split(b"\n")
                size_bytes += len(first)
                begun += first
                if size_bytes > self._max_line_bytes:
                    begun = begun[:KEPT_BYTES]
                for line in others:
                    yield begun, size_bytes > self._max_line_bytes
                    begun, size_bytes = line, len(line)
        except (DamagedFile, OSError) as error:
            self.damage = str(error)
            self._cut = begun[:KEPT_BYTES]
            return
        if size_bytes:
            yield begun, size_bytes > self._max_line_bytes
