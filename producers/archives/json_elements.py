"""The elements of a JSON array that goes over many lines, one after the other."""

import re
from collections.abc import Iterator
from typing import Final

from producers.archives.lines import KEPT_BYTES, MAX_LINE_BYTES
from producers.archives.records import Lines, Record, Unreadable
from schemas.codec import Reason

# A string of JSON holds no line end, so a line can be read by itself. One whose quote is never
# closed swallows the brackets on the rest of its line, and no more.
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[{}]')


def json_elements(lines: Lines, max_element_bytes: int = MAX_LINE_BYTES) -> Iterator[Record]:
    """Yield each object that stands directly in the array, numbered by the line of its `{`.

    What stands between elements is passed over. An element above `max_element_bytes`, or cut by
    the file's end or by a line that looks like the beginning of the next, is unreadable.
    """
    elements = _Elements(max_element_bytes)
    for line in lines:
        if line.unreadable is None:
            yield from elements.of_line(line)
        elif elements.depth:
            yield elements.ended(line.unreadable)
        else:
            yield line
    if elements.depth:
        yield elements.ended(Unreadable(Reason.UNREADABLE_LINE, "the file ends inside the element"))


class _Elements:
    """Takes lines in; `depth` counts the open objects of the element that is being read."""

    def __init__(self, max_element_bytes: int) -> None:
        self._max_element_bytes = max_element_bytes
        self._opening: bytes | None = None
        self._line = self._place = 0
        self._content = bytearray()
        self._too_large = False
        self.depth = 0

    def of_line(self, line: Record) -> Iterator[Record]:
        """Yield the elements that end with this line, or were given up at it."""
        raw, start, place = line.raw, 0, 0
        if self.depth and raw == self._opening:
            yield self.ended(Unreadable(Reason.NOT_JSON, "the element is never closed"))
        for token in _TOKEN.finditer(raw):
            if token[0] == b"{":
                if self.depth == 0:
                    start = token.start()
                    self._begin(line, place)
                self.depth += 1
            elif token[0] == b"}" and self.depth:
                self.depth -= 1
                if self.depth == 0:
                    self._add(raw[start : token.end()])
                    place += 1
                    yield self.ended(None)
        if self.depth:
            self._add(raw[start:] + b"\n")

    def ended(self, unreadable: Unreadable | None) -> Record:
        """Return the element as it is now; the next one may begin."""
        self.depth = 0
        if self._too_large:
            detail = f"the element is longer than {self._max_element_bytes} bytes"
            unreadable = Unreadable(Reason.TOO_LARGE, detail)
        return Record(self._line, bytes(self._content), unreadable, self._place)

    def _begin(self, line: Record, place: int) -> None:
        self._line, self._place = line.line, place
        self._content.clear()
        self._too_large = False
        # Only elements stand at this indentation: what they hold is indented further.
        if self._opening is None and line.raw.lstrip() == b"{" != line.raw:
            self._opening = line.raw

    def _add(self, content: bytes) -> None:
        self._content += content
        if len(self._content) > self._max_element_bytes:
            self._too_large = True
        if self._too_large:
            del self._content[KEPT_BYTES:]
