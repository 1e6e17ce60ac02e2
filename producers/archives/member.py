"""What a file within another is, be that a tar or a zip."""

from collections.abc import Iterator
from typing import NamedTuple


class Member(NamedTuple):
    """A file within another. `number` counts from 0, `content` is to be read before the next.

    Where `damage` is set there is no content, but a word on what lay there.
    """

    number: int
    name: str
    content: Iterator[bytes]
    damage: str | None = None
