"""The objects of JSON that is not a document a line: in arrays, in an array under a name, or
one after the other, each over as many lines as it likes."""

import re
from collections.abc import Iterator
from typing import Final

from producers.archives.lines import KEPT_BYTES, MAX_LINE_BYTES
from producers.archives.records import Lines, Record, Unreadable
from schemas.codec import Reason

# A string of JSON holds no line end: one whose quote is never closed swallows the brackets on
# the rest of its line, and no more.
Path = tuple[bytes, ...]

_STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
_WITHIN: Final = re.compile(_STRING + rb"|[{}]", re.DOTALL)
_BETWEEN: Final = re.compile(_STRING + rb"|\{", re.DOTALL)
_AROUND: Final = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_REST_OF_STRING: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)

_BEGINNING: Final = re.compile(rb'[ \t]*\{[ \t]*(?:"[^"\\]{1,64}"[ \t]*:)?')
_SEPARATORS: Final = b" \t\r\n\f\v,;:[]}"
_LONGEST_NAME_BYTES: Final = 1_000
_CUT_ELEMENT: Final = Unreadable(
    Reason.UNREADABLE_LINE,
    "the file ends inside the element: it was cut, or is not whole yet",
    cuts_file=True,
)
_CUT_ARRAY: Final = Unreadable(
    Reason.UNREADABLE_LINE,
    "the file ends inside the array: it was cut, or is not whole yet",
    cuts_file=True,
)
_NEVER_CLOSED: Final = Unreadable(Reason.NOT_JSON, "the element is never closed")
_SCRIPT: Final = re.compile(rb"\s*(?:window\.)?[A-Za-z_][\w.]*\s*=\s*")
"""What stands before the array in an account's export, also where two were put together."""


def json_elements(
    lines: Lines, max_element_bytes: int = MAX_LINE_BYTES, *, under: Path = ()
) -> Iterator[Record]:
    """Yield each outermost object, be it in an array or not, numbered by the line of its `{`.

    With `under` they are those of the array that is found by these names from the outermost object
    on, and what else that holds is passed over. `lines` may be parts of lines. What stands between
    elements and is none is an unreadable record, once a line; so is an element above
    `max_element_bytes`, or one that is cut by the file's end or by a line that looks like the
    beginning of the next.
    """
    elements = _Elements(max_element_bytes, under)
    for line in lines:
        if line.unreadable is None:
            yield from elements.of_line(line)
        elif elements.depth:
            yield elements.ended(line.unreadable)
        else:
            yield line
    if elements.depth:
        yield elements.ended(_CUT_ELEMENT)
    elif elements.is_in_array:
        yield elements.cut_array()


class _Elements:
    """Takes lines in; `depth` counts the open objects of the element that is being read."""

    def __init__(self, max_element_bytes: int, under: Path) -> None:
        self._max_element_bytes = max_element_bytes
        self._under = under
        self._around = _Around(under) if under else None
        self._document_opening: bytes | None = None
        self._opening: bytes | None = None
        self._at_line_start = True
        self._in_string = self._escaped = False
        self._begun_string = b""
        self._line = self._place = self._places = 0
        self._last_line = self._places_in_all = self._array_depth = 0
        self._begun_as: bytes | None = None
        self._content = bytearray()
        self._too_large = False
        self.depth = 0

    def of_line(self, line: Record) -> Iterator[Record]:
        """Yield the elements that end with this line, or were given up at it."""
        raw = line.raw
        self._last_line = line.line
        if self._at_line_start:
            self._places = 0
            self._in_string = False
            yield from self._given_up_at(raw)
        at = self._string_ends_at(raw) if self._in_string else 0
        if self.depth and at:
            self._add(raw[:at])
        elif at and self._around is not None:
            self._begun_string = (self._begun_string + raw[:at])[:_LONGEST_NAME_BYTES]
            if not self._in_string:
                self._around.take(self._begun_string)
        strays: list[bytes] = []
        while at < len(raw):
            if self.depth:
                start, at = at, self._within(raw, at)
                self._add(raw[start:at])
                if not self.depth:
                    yield self.ended(None)
            else:
                at = self._between(line, at, strays)
        self._at_line_start = not line.continues
        if self.depth and not line.continues:
            self._in_string = False
            self._add(b"\n")
        stray = b" ".join(strays)
        if stray:
            detail = "between the objects stands what is none"
            yield Record(
                line.line,
                stray[:KEPT_BYTES],
                Unreadable(Reason.NOT_JSON, detail),
                self._next_place(),
            )

    @property
    def is_in_array(self) -> bool:
        """Whether an array has begun that holds elements, and has not ended."""
        around = self._around
        return self._places_in_all > 0 and (
            self._array_depth > 0 if around is None else around.array_depth > 0
        )

    def cut_array(self) -> Record:
        """Return a record of what the file lacks: the end of its array."""
        return Record(self._last_line, b"", _CUT_ARRAY, self._next_place())

    def ended(self, unreadable: Unreadable | None) -> Record:
        """Return the element as it is now; the next one may begin."""
        self.depth = 0
        if self._too_large:
            detail = f"the element is longer than {self._max_element_bytes} bytes"
            unreadable = Unreadable(Reason.TOO_LARGE, detail)
        raw = bytes(self._content)
        self._content.clear()
        return Record(self._line, raw, unreadable, self._place)

    def _within(self, raw: bytes, at: int) -> int:
        """Go on in the element; return where it ends, or the line."""
        for token in _WITHIN.finditer(raw, at):
            if token[0] == b"{":
                self.depth += 1
            elif token[0] == b"}":
                self.depth -= 1
                if self.depth == 0:
                    return token.end()
            elif token.end() == len(raw):
                self._leave_open(token[0])
        return len(raw)

    def _between(self, line: Record, at: int, strays: list[bytes]) -> int:
        """Go on to the next element; return where it begins, or the line's end."""
        raw, around = line.raw, self._around
        for token in (_BETWEEN if around is None else _AROUND).finditer(raw, at):
            if around is None:
                self._count_brackets(raw[at : token.start()])
            if around is None or around.array_depth:
                self._keep_stray(raw[at : token.start()], strays)
                if token[0] == b"{":
                    self._begin(line, token.start())
                    return token.end()
                if token[0].startswith(b'"'):
                    self._keep_stray(token[0], strays)
            if token[0].startswith(b'"') and token.end() == len(raw):
                self._leave_open(token[0])
                self._begun_string = token[0][:_LONGEST_NAME_BYTES]
            if around is not None and not self._in_string:
                around.take(token[0])
            at = token.end()
        if self._around is None:
            self._count_brackets(raw[at:])
        if self._around is None or self._around.array_depth:
            self._keep_stray(raw[at:], strays)
        return len(raw)

    def _count_brackets(self, between: bytes) -> None:
        opened = between.count(b"[") - between.count(b"]")
        self._array_depth = max(0, self._array_depth + opened)

    def _keep_stray(self, between: bytes, strays: list[bytes]) -> None:
        stray = between.strip(_SEPARATORS)
        if stray and _SCRIPT.fullmatch(stray) is None and sum(map(len, strays)) < KEPT_BYTES:
            strays.append(stray)

    def _leave_open(self, string: bytes) -> None:
        """Note that a string goes on in the next part of the line, where it is not closed."""
        escapes = len(string) - len(string.rstrip(b"\\"))
        closed = len(string) > 1 and string.endswith(b'"')
        if closed:
            before = string[:-1]
            closed = (len(before) - len(before.rstrip(b"\\"))) % 2 == 0
        self._in_string = not closed
        self._escaped = not closed and escapes % 2 == 1

    def _string_ends_at(self, raw: bytes) -> int:
        start = 1 if self._escaped else 0
        rest = _REST_OF_STRING.match(raw, start)
        end = rest.end() if rest is not None else len(raw)
        if end == len(raw):
            self._leave_open(b'"' + (b"\\" if self._escaped else b"") + raw)
        else:
            self._in_string = self._escaped = False
        return end

    def _given_up_at(self, raw: bytes) -> Iterator[Record]:
        """Yield the element that is open where a line begins as what holds it, or as the next."""
        beginning = _beginning_of(raw)
        if self._around is not None and beginning is not None:
            if self._around.is_outside and not self.depth:
                self._document_opening = self._document_opening or beginning
            elif beginning == self._document_opening:
                self._around = _Around(self._under)
                if self.depth:
                    yield self.ended(_NEVER_CLOSED)
        # What elements hold does not begin as they do.
        if (
            self.depth
            and self._opening is not None
            and self._begun_as == beginning == self._opening
        ):
            yield self.ended(_NEVER_CLOSED)

    def _begin(self, line: Record, start: int) -> None:
        self.depth = 1
        self._line, self._place = line.line, self._next_place()
        self._places_in_all += 1
        self._content.clear()
        self._content += b"{"
        self._too_large = False
        self._begun_as = None
        if self._at_line_start and not line.raw[:start].strip():
            self._begun_as = _beginning_of(line.raw)
            self._opening = self._opening or self._begun_as

    def _next_place(self) -> int:
        self._places += 1
        return self._places - 1

    def _add(self, content: bytes) -> None:
        self._content += content
        if len(self._content) > self._max_element_bytes:
            self._too_large = True
        if self._too_large:
            del self._content[KEPT_BYTES:]


class _Around:
    """Where in the outermost object reading is; `array_depth` counts arrays from the named one."""

    def __init__(self, under: Path) -> None:
        self._names = [b'"' + name + b'"' for name in under]
        self._last_string = b""
        self._found = self._depth = 0
        self.array_depth = 0

    @property
    def is_outside(self) -> bool:
        """Whether no document is open."""
        return not self._depth and not self.array_depth

    def take(self, token: bytes) -> None:
        """Take in what stands outside of the elements: a string or a bracket."""
        if token.startswith(b'"'):
            self._last_string = token
        elif self.array_depth:
            self.array_depth += {b"[": 1, b"]": -1}.get(token, 0)
        elif token in b"{[":
            within = (
                self._depth == self._found + 1 and self._last_string == self._names[self._found]
            )
            if within and token == b"[" and self._found + 1 == len(self._names):
                self.array_depth = 1
                return
            self._found += within and token == b"{" and self._found + 1 < len(self._names)
            self._depth += 1
        else:
            self._depth = max(0, self._depth - 1)
            self._found = min(self._found, max(0, self._depth - 1))


def _beginning_of(raw: bytes) -> bytes | None:
    """Return the indentation of a line that begins an object, with the first name on it.

    None where it says too little: a lone bracket that is not indented may begin anything.
    """
    found = _BEGINNING.match(raw)
    if found is None:
        return None
    if found[0].endswith(b":"):
        return found[0]
    return raw if raw.lstrip(b" \t") == b"{" != raw else None
