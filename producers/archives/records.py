"""The unit of reading: a piece of a file that is parsed, published and confirmed as one."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from schemas.codec import Reason


class Unreadable(NamedTuple):
    """Why a piece of a file never reached a parser.

    Where `cuts_file` is set, the file ends where it should go on: it was not read to its end.
    """

    reason: Reason
    detail: str
    cuts_file: bool = False


class Record(NamedTuple):
    """A line, or what belongs together over several lines.

    `line` is the number of its first line, from 1. `raw` has no line end. Where `unreadable` is
    set, `raw` is what there was of it, or its beginning. `place` counts the records that begin on
    the same line, from 0. Where `continues` is set, it is a part of a line, whose rest is the next.
    """

    line: int
    raw: bytes
    unreadable: Unreadable | None = None
    place: int = 0
    continues: bool = False


Lines = Iterator[Record]
"""Records that are one line each."""

SplitLines = Callable[[Lines], Iterator[Record]]
"""Puts the lines together that belong together; the same content gives the same records."""
