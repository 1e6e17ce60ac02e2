"""Pieces of a file to lines: bounded in length, numbered, damage told at its place."""

from collections.abc import Iterable, Iterator
from typing import Final

from producers.archives.byte_stream import looked_at
from producers.archives.expansion import DamagedFile
from producers.archives.line_ends import UTF8_BOM, line_end_is_decided, line_end_of
from producers.archives.records import Lines, Record, Unreadable
from schemas.codec import Reason

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
KEPT_BYTES: Final = 64 * 1024
"""How much is kept of a line above `MAX_LINE_BYTES`."""

_LOOKED_AT_BYTES: Final = 64 * 1024


class LineReader:
    """Splits pieces at line ends (`line_end_of`); what is left of CR LF, and a BOM, are dropped.

    A BOM begins a line where files were put together. Every line becomes one record. A line above
    `MAX_LINE_BYTES` becomes an unreadable one that keeps its beginning; with `in_parts` lines are
    of any length, and a long one comes in parts. Where the pieces end in `DamagedFile` or
    `OSError`, the last record is an unreadable one with the line that was cut, and `damage` says
    what happened. Memory is bounded by one line and one piece.
    """

    def __init__(
        self,
        pieces: Iterable[bytes],
        max_line_bytes: int = MAX_LINE_BYTES,
        *,
        in_parts: bool = False,
    ) -> None:
        self._pieces = pieces
        self._max_line_bytes = max_line_bytes
        self._read_lines = self._parts if in_parts else self._whole
        self.lines = 0
        self.damage: str | None = None
        self._cut = b""

    def __iter__(self) -> Lines:
        """Yield the lines; may be called once."""
        beginning, pieces = looked_at(
            filter(None, self._pieces), _LOOKED_AT_BYTES, enough=line_end_is_decided
        )
        line_end = line_end_of(beginning)
        del beginning
        yield from self._read_lines(pieces, line_end)
        if self.damage is not None:
            unreadable = Unreadable(Reason.UNREADABLE_LINE, self.damage)
            yield Record(self.lines + 1, self._cut, unreadable)

    def _whole(self, pieces: Iterator[bytes], line_end: bytes) -> Lines:
        for raw, overlong in self._bounded(pieces, line_end):
            self.lines += 1
            line = raw.removeprefix(UTF8_BOM)
            if overlong:
                line = line[:KEPT_BYTES]
                detail = f"the line is longer than {self._max_line_bytes} bytes"
                yield Record(self.lines, line, Unreadable(Reason.TOO_LARGE, detail))
            else:
                yield Record(self.lines, line.removesuffix(b"\r").removeprefix(b"\n"))

    def _bounded(self, pieces: Iterator[bytes], line_end: bytes) -> Iterator[tuple[bytes, bool]]:
        begun: list[bytes] = []
        size_bytes = 0
        try:
            for piece in pieces:
                first, *others = piece.split(line_end)
                size_bytes += len(first)
                begun.append(first)
                if size_bytes > self._max_line_bytes:
                    begun = [b"".join(begun)[:KEPT_BYTES]]
                for line in others:
                    yield b"".join(begun), size_bytes > self._max_line_bytes
                    begun, size_bytes = [line], len(line)
        except (DamagedFile, OSError) as error:
            self.damage = str(error)
            self._cut = b"".join(begun)[:KEPT_BYTES]
            return
        if size_bytes:
            yield b"".join(begun), size_bytes > self._max_line_bytes

    def _parts(self, pieces: Iterator[bytes], line_end: bytes) -> Lines:
        at_line_start = True
        try:
            for piece in pieces:
                *ended, begun = piece.split(line_end)
                for number, raw in enumerate([*ended, begun]):
                    continues = number == len(ended)
                    if continues and not raw:
                        continue
                    if at_line_start:
                        self.lines += 1
                        raw = raw.removeprefix(UTF8_BOM)  # noqa: PLW2901 (the part as it counts)
                    at_line_start = not continues
                    yield Record(self.lines, raw, continues=continues)
        except (DamagedFile, OSError) as error:
            self.damage = str(error)
