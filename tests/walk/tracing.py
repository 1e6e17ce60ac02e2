"""A `murmur` command, and the functions through which a text went in it.

`python -m tests.walk.tracing RESULT MARK BEGIN murmur ARGUMENT...` runs the command as it does for
a person. At its end RESULT gets, as JSON, each function of ours through which the text with the
word MARK went, in the order in which it came to them, and how often JSON that holds it was decoded.
Nothing counts before the function BEGIN is called (`-`: all does).

A function carries the text where its frame holds it (in a variable, or in an event, message, list
or the like that one holds, or in what it gets back), and it

- has it as such: a string, bytes, or lists and tuples of them; or
- returns or yields it, also within something; or
- keeps it in its object, for whoever asks that next; or
- is a coroutine, which hands on by waiting; or
- calls a function that carries it.

So a function that only looks at something else of an event, as its key, does not count. Those that
call the first one do, from BEGIN on. A lambda or comprehension is part of the function around it.
"""

import dataclasses
import inspect
import re
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any, Final

import msgspec

ROOT: Final = Path(__file__).parents[2]
_DEPTH: Final = 8
_WITHIN: Final = re.compile(r"\.<locals>\.<\w+>")
_COMPREHENSIONS: Final = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")


class Traced(msgspec.Struct):
    """What one command did: `functions` as `file: function`, and JSON decoded so many times."""

    functions: list[str]
    decoded: int


class _Call:
    """A function of ours at work."""

    __slots__ = ("carries", "follows_first", "frame", "holds", "kept_before", "number")

    def __init__(
        self, frame: FrameType, number: int, *, holds: bool, kept: bool, follows_first: bool
    ) -> None:
        self.frame = frame
        self.number = number
        self.holds = holds
        self.kept_before = kept
        self.carries = False
        self.follows_first = follows_first


class Tracer:
    """Follows the word `mark`; `begin` names the function with which that starts, if one does."""

    def __init__(self, mark: str, begin: str | None) -> None:
        self._mark = mark
        self._mark_bytes = mark.encode()
        self._begin = begin
        self._begun = begin is None
        self._names: dict[CodeType, str | None] = {}
        self._met: dict[str, int] = {}
        self._events = 0
        self._decoded = 0
        self._stacks = threading.local()

    def traced(self) -> Traced:
        """Return what was found."""
        return Traced(sorted(self._met, key=self._met.__getitem__), self._decoded)

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take a call or return, as `sys.setprofile` tells of it."""
        if event == "c_call":
            if self._begun and _decodes_json(argument):
                self._decoded += self._is_in(dict(frame.f_locals))
        elif event in ("call", "return"):
            code = frame.f_code
            if code not in self._names:
                self._names[code] = _name_of(code)
            name = self._names[code]
            if name is None:
                if event == "call" and code.co_qualname == "JSONDecoder.raw_decode":
                    self._decoded += self._begun and self._is_in(dict(frame.f_locals))
                return
            self._begun = self._begun or code.co_qualname == self._begin
            stack: list[_Call] = self._stacks.__dict__.setdefault("stack", [])
            if event == "call":
                self._enter(frame, stack)
            elif stack and stack[-1].frame is frame:
                self._leave(stack.pop(), name, argument, stack)

    def _enter(self, frame: FrameType, stack: list[_Call]) -> None:
        self._events += 1
        others, kept = self._variables(frame)
        is_first = frame.f_code.co_qualname == self._begin
        follows_first = is_first or (bool(stack) and stack[-1].follows_first)
        stack.append(
            _Call(
                frame,
                self._events,
                holds=follows_first or self._is_in(others),
                kept=self._is_in(kept),
                follows_first=follows_first,
            )
        )

    def _leave(self, call: _Call, name: str, result: Any, stack: list[_Call]) -> None:
        self._events += 1
        others, kept = self._variables(call.frame)
        returned = self._is_in(result)
        keeps = self._is_in(kept) and not call.kept_before
        as_such = any(self._is_text(value) for value in others.values())
        waits = _is_coroutine(call.frame) and self._is_in(others)
        if returned or keeps or self._is_in(others):
            self._note_held(call)
        # A comprehension is a function in some versions of Python, and part of one in others.
        gives = (returned or keeps or waits) and call.frame.f_code.co_name not in _COMPREHENSIONS
        if self._begun and call.holds and (call.carries or as_such or gives):
            self._met[name] = min(self._met.get(name, call.number), call.number)
            call.carries = True
        if stack:
            stack[-1].carries |= call.carries
            if returned:
                self._note_held(stack[-1])

    def _note_held(self, call: _Call) -> None:
        # What a coroutine begins may be at work in another thread before it lets go.
        if not call.holds and not _is_coroutine(call.frame):
            call.number = self._events
        call.holds = True

    def _variables(self, frame: FrameType) -> tuple[dict[str, Any], Any]:
        """Return the variables of a frame, and what its own object keeps; data is a variable."""
        others = dict(frame.f_locals)
        own = others.get("self")
        if own is None or isinstance(own, msgspec.Struct | tuple):
            return others, None
        del others["self"]
        return others, list(_fields_of(own))

    def _is_text(self, value: Any) -> bool:
        """Tell whether it is the text as such."""
        if isinstance(value, str):
            return self._mark in value
        if isinstance(value, bytes | bytearray):
            return self._mark_bytes in value
        return type(value) in (list, tuple, set, dict) and any(map(self._is_text, list(value)))

    def _is_in(self, value: Any, depth: int = _DEPTH) -> bool:
        if isinstance(value, str | bytes | bytearray):
            return self._is_text(value)
        if isinstance(value, memoryview):
            return self._mark_bytes in bytes(value)
        return depth > 0 and any(self._is_in(part, depth - 1) for part in _parts_of(value))


def _is_coroutine(frame: FrameType) -> bool:
    return bool(frame.f_code.co_flags & inspect.CO_COROUTINE)


def _decodes_json(function: Any) -> bool:
    module = getattr(function, "__module__", None) or type(function.__self__).__module__
    return module == "msgspec.json" and function.__name__ == "decode"


def _parts_of(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from list(value)
        yield from list(value.values())
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from list(value)
    elif isinstance(value, msgspec.Struct) or (
        dataclasses.is_dataclass(value) and not isinstance(value, type)
    ):
        yield from _fields_of(value)
    elif isinstance(value, FunctionType):
        yield from (cell.cell_contents for cell in value.__closure__ or () if _is_set(cell))
    elif type(value).__module__.startswith("faust"):
        yield getattr(value, "value", None)
    elif type(value).__name__ == "Message" and callable(getattr(value, "value", None)):
        yield value.value()


def _is_set(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 (the question is whether it can be had)
    except ValueError:
        return False
    return True


def _fields_of(own: Any) -> Iterator[Any]:
    slots = [name for kind in type(own).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in dict.fromkeys([*slots, *getattr(own, "__dict__", ())]):
        yield getattr(own, name, None)


def _name_of(code: CodeType) -> str | None:
    """Return `file: function` for a function of ours, None for others."""
    path = Path(code.co_filename)
    if not path.is_relative_to(ROOT):
        return None
    file = path.relative_to(ROOT)
    if file.parts[0] in ("tests", ".venv") or code.co_name == "<module>":
        return None
    name = _WITHIN.sub("", code.co_qualname).replace(".<locals>", "")
    return f"{file}: {name}"


def main() -> None:
    """Run the command under the tracer."""
    result, mark, begin, *command = sys.argv[1:]
    from deploy.cli import main as murmur

    tracer = Tracer(mark, None if begin == "-" else begin)
    sys.argv = command
    threading.setprofile(tracer.profile)
    sys.setprofile(tracer.profile)
    try:
        murmur()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        unfinished = Path(f"{result}.part")
        unfinished.write_bytes(msgspec.json.encode(tracer.traced()))
        unfinished.replace(result)


if __name__ == "__main__":
    main()
