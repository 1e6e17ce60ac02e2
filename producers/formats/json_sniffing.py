"""The first JSON objects of a file and how they lie in it, by which formats are told apart."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from producers.archives.json_elements import json_elements
from producers.archives.line_ends import UTF8_BOM, lines_of
from producers.archives.lines import LineReader
from producers.formats.data_frames import Orient, orient_of, rows_of
from producers.formats.json_wrapping import NO_WRAPPING, Wrapping, looks_like_a_tweet, wrapping_of
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json

_LINES: Final = 20
_OBJECTS: Final = 20
_MOST_FIELDS: Final = 24
_MOST_NESTED: Final = 500
_LOOKED_AT_BYTES: Final = 256 * 1024
_ARRAY: Final = re.compile(rb"\s*\[\s*[\[\]{]")
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[{}\[\],]', re.DOTALL)
_CLOSING: Final = {b"{": b"}", b"[": b"]"}

WRAPPERS: Final = ("statuses", "results", "tweets", "data")
"""Names under which archives keep their tweets in an array."""

_EXPORTS: Final[tuple[tuple[str, ...], ...]] = (
    ("hits", "hits"),
    ("response", "docs"),
    ("docs",),
    ("rows",),
    ("items",),
    ("Items",),
    ("records",),
    ("features",),
    ("posts",),
    ("messages",),
    ("value",),
)
"""The same of databases and other programs; what is there must look like tweets."""

Path = tuple[str, ...]

_TWEET_FIELDS: Final = frozenset(
    ["text", "full_text", "id_str", "tweet", "note_tweet", "extended_tweet"]
)
_PAGE_FIELDS: Final = frozenset(["includes", "meta", "errors", "matching_rules"])


@dataclass(frozen=True)
class JsonLayout:
    """How JSON lies in a file.

    A document a line; or, where `a_document_a_line` is false, objects over any number of lines, in
    the array called `under` where that is set, or rows of data frames, as `frame` says. `objects`
    are the first, as far as they are there, without the `wrapping` that stands around each;
    `is_cut` tells that the first line is longer than what is looked at.
    """

    objects: tuple[Mapping[str, Any], ...] = ()
    a_document_a_line: bool = True
    under: tuple[bytes, ...] = ()
    is_cut: bool = False
    wrapping: Wrapping = NO_WRAPPING
    frame: Orient | None = None

    @property
    def described(self) -> str:
        """What tells this reading of a file from another, empty for a document a line."""
        return self._split_as + self.wrapping.described

    @property
    def _split_as(self) -> str:
        if self.frame is not None:
            return f" frames by {self.frame}"
        if self.a_document_a_line:
            return " long lines" if self.is_cut else ""
        under = b".".join(self.under).decode()
        return f" objects under {under}" if under else " objects"

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that the first objects have."""
        names = dict.fromkeys(name for each in self.objects for name in _names_in(each))
        return tuple(names)[:_MOST_FIELDS]


def first_lines(beginning: bytes) -> list[bytes]:
    """Return the first lines that are not blank, without the space around them."""
    lines = (line.strip() for line in lines_of(beginning[:_LOOKED_AT_BYTES]))
    return [line for line in lines if line][:_LINES] or [b""]


def first_objects(beginning: bytes) -> tuple[Mapping[str, Any], ...]:
    """Return the first objects, whatever the layout; broken ones among them hide nothing."""
    return json_layout(beginning).objects


def layout_is_decided(beginning: bytes) -> bool:
    """Tell whether the first line shows how a file is read, whatever follows it."""
    first = first_lines(beginning)[0]
    return not first.startswith((b"{", b"[")) or _object(first) is not None


def json_layout(beginning: bytes) -> JsonLayout:
    """Return how JSON lies in a file that begins so; without objects where it has none."""
    return _layout(beginning[:_LOOKED_AT_BYTES])


@lru_cache(maxsize=1)
def _layout(beginning: bytes) -> JsonLayout:
    layout = _as_it_lies(beginning)
    if layout.frame in {"columns", "split"}:
        return layout
    wrapping, objects = wrapping_of(layout.objects)
    return replace(layout, wrapping=wrapping, objects=objects) if wrapping else layout


def _as_it_lies(beginning: bytes) -> JsonLayout:
    beginning = beginning.removeprefix(UTF8_BOM).lstrip()
    if _ARRAY.match(beginning):
        found = _elements_of(beginning) or _objects_in(_completed(beginning))
        return JsonLayout(found, a_document_a_line=False)
    lines = first_lines(beginning)
    on_lines = [each for each in map(_object, lines) if each is not None]
    if not beginning.startswith(b"{") or (on_lines and _object(lines[0]) is not None):
        return _a_document_a_line(on_lines)
    first = _completed(beginning)
    if not isinstance(first, Mapping):
        return JsonLayout(_unwrapped(on_lines))
    return _of_first(first, beginning, on_one_line=len(lines) == 1)


def _of_first(first: Mapping[str, Any], beginning: bytes, *, on_one_line: bool) -> JsonLayout:
    """Return the layout of a file whose first object is no line of its own."""
    orient = orient_of(first)
    if orient is not None:
        return _of_frame(first, orient, is_cut=len(beginning) == _LOOKED_AT_BYTES)
    under = _tweets_under(first)
    if under is not None:
        objects = _objects_in(at_path(first, under))
        return JsonLayout(objects, a_document_a_line=False, under=_encoded(under))
    if on_one_line and _ANOTHER.match(beginning, _end_of_first(beginning)) is None:
        return JsonLayout((first,), is_cut=len(beginning) > _LOOKED_AT_BYTES // 2)
    return JsonLayout((first,), a_document_a_line=False)


_ANOTHER: Final = re.compile(rb"[\s,;\0\x1e]*\{")


def _of_frame(frame: Mapping[str, Any], orient: Orient, *, is_cut: bool) -> JsonLayout:
    rows = tuple(islice(rows_of(frame, orient), _OBJECTS))
    return JsonLayout(rows, a_document_a_line=False, is_cut=is_cut, frame=orient)


def _a_document_a_line(documents: list[Mapping[str, Any]]) -> JsonLayout:
    orients = {orient_of(document) for document in documents}
    orient = orients.pop() if len(orients) == 1 else None
    if orient is not None:
        return _of_frame(documents[0], orient, is_cut=False)
    paths = {_tweets_under(document) for document in documents}
    path = paths.pop() if len(paths) == 1 else None
    if path is None:
        return JsonLayout(_unwrapped(documents))
    return JsonLayout(_unwrapped(documents), a_document_a_line=False, under=_encoded(path))


def _encoded(path: Path) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in path)


def _names_in(document: Mapping[str, Any]) -> Iterator[str]:
    data = document.get("data")
    within = next(iter(_flat(data)), None)
    for name in document:
        if name == "data" and within is not None:
            yield from (f"data.{each}" for each in within)
        else:
            yield name


def tweets_within(document: object) -> list[Any] | None:
    """Return the tweets of a document that is none: an array, or one under a known name."""
    if isinstance(document, Mapping):
        under = _tweets_under(document)
        document = None if under is None else at_path(document, under)
    if isinstance(document, list) and any(isinstance(each, Mapping) for each in document):
        return document
    return None


def at_path(document: object, path: Path) -> object:
    """Return what stands there by these names, None where there is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _tweets_under(document: Mapping[str, Any]) -> Path | None:
    """Return the names of the array that holds the tweets, None where a document is one itself.

    A page of X's API v2 is a document: what it includes belongs to its tweets. What X includes is
    none of them, should it stand in a file of its own.
    """
    if not _TWEET_FIELDS.isdisjoint(document) or isinstance(document.get("users"), list):
        return None
    for name in WRAPPERS:
        within = document.get(name)
        objects = _objects_in(within) if isinstance(within, list) else ()
        if objects and (name != "data" or _are_of_no_page(document, objects)):
            return (name,)
    for path in _EXPORTS:
        within = at_path(document, path)
        objects = _objects_in(within) if isinstance(within, list) else ()
        if any(map(looks_like_a_tweet, wrapping_of(objects)[1])):
            return path
    return None


def _are_of_no_page(document: Mapping[str, Any], objects: tuple[Mapping[str, Any], ...]) -> bool:
    if not _PAGE_FIELDS.isdisjoint(document):
        return False
    return bool(wrapping_of(objects)[0]) or any(
        not {"id_str", "full_text", "label"}.isdisjoint(each) or isinstance(each.get("user"), dict)
        for each in objects
    )


def _unwrapped(documents: list[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    found: list[Mapping[str, Any]] = []
    for document in documents:
        within = tweets_within(document)
        found.extend([document] if within is None else _objects_in(within))
    return tuple(found[:_OBJECTS])


def _objects_in(value: object) -> tuple[Mapping[str, Any], ...]:
    return tuple(_flat(value))[:_OBJECTS]


def _flat(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _flat(each)


def _object(line: bytes) -> Mapping[str, Any] | None:
    if not line.startswith((b"{", b"[")):
        return None
    try:
        plain = plain_json(line)
    except Unparsable:
        return None
    if isinstance(plain, Mapping):
        return plain
    return None


def _elements_of(beginning: bytes) -> tuple[Mapping[str, Any], ...]:
    """Return the first objects of an array that are whole, also where others are broken."""
    elements = json_elements(iter(LineReader([beginning], in_parts=True)))
    sound = (_object(each.raw) for each in elements if each.unreadable is None)
    return tuple(islice((each for each in sound if each is not None), _OBJECTS))


def _end_of_first(beginning: bytes) -> int:
    """Return where the first value of a file ends, or the beginning of the file itself."""
    depth = 0
    for token in _TOKEN.finditer(beginning):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token[0], 0)
        if not depth:
            return token.end()
    return len(beginning)


def _completed(beginning: bytes) -> object:
    """Return the first value of a file, as far as it is there; None where it is no JSON.

    What is cut off is closed behind the last value that is whole.
    """
    open_brackets: list[bytes] = []
    whole_at = 0
    for token in _TOKEN.finditer(beginning):
        mark = token[0]
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
            if len(open_brackets) > _MOST_NESTED:
                return None
        elif mark in {b"}", b"]"}:
            if not open_brackets or open_brackets.pop() != mark:
                return None
            if not open_brackets:
                return _plain(beginning[: token.end()])
        elif mark != b",":
            continue
        whole_at = token.start() if mark == b"," else token.end()
    return _plain(beginning[:whole_at] + b"".join(reversed(open_brackets)))


def _plain(raw: bytes) -> object:
    try:
        return plain_json(raw)
    except Unparsable:
        return None
