"""What the pages of a Parquet file unpack to, read from their headers before any is unpacked.

The headers are Thrift's compact protocol (apache/parquet-format, `PageHeader`): the footer may say
anything of a page, but its own header is what the memory is taken by.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from producers.archives.expansion import DamagedFile

MAX_PAGE_BYTES: Final = 16 * 1024 * 1024
"""Writers make pages of 1 MiB; one text of a tweet is far below either."""

OF_DICTIONARY: Final = frozenset([2, 8])
PLAIN: Final = 0
"""Encodings of a data page, as their numbers stand in its header; others may share what is written
once among many values."""

_DICTIONARY: Final = 7
_LENGTH_BYTES: Final = 4
_HEADER_BYTES: Final = 64 * 1024
_DATA_PAGES: Final = {5: 2, 8: 4}
"""The fields of a header that describe a data page (v1, v2), and where these name the encoding."""

_STOP, _TRUE, _FALSE = 0, 1, 2
_BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 3, 7, 8, 9, 10, 11, 12
_MOST_NESTED: Final = 8


class Page(NamedTuple):
    """What a page unpacks to, and how its values are encoded; None for one that is a dictionary.

    No value that is written there is longer than `longest_bytes`.
    """

    unpacked_bytes: int
    longest_bytes: int
    encoding: int | None


def pages(file: BinaryIO, start: int, stored_bytes: int) -> Iterator[Page]:
    """Yield the pages of a column's chunk; raise `DamagedFile` where they make no sense."""
    end = start + stored_bytes
    while start < end:
        file.seek(start)
        reader = _Compact(file.read(_HEADER_BYTES))
        try:
            fields = reader.struct()
        except IndexError:
            raise DamagedFile("damaged Parquet file: a page has no sound header") from None
        unpacked, stored = fields.get(2), fields.get(3)
        if (
            not isinstance(unpacked, int)
            or not isinstance(stored, int)
            or min(unpacked, stored) < 0
        ):
            raise DamagedFile("damaged Parquet file: a page does not say its size")
        start += reader.at + stored
        yield Page(unpacked, max(unpacked - _LENGTH_BYTES * _others(fields), 0), _encoding(fields))


def _others(fields: dict[int, object]) -> int:
    """Return how many values a dictionary has beside one; each takes its length at least."""
    dictionary = fields.get(_DICTIONARY)
    values = dictionary.get(1) if isinstance(dictionary, dict) else None
    return max(values - 1, 0) if isinstance(values, int) else 0


def _encoding(fields: dict[int, object]) -> int | None:
    for number, encoding in _DATA_PAGES.items():
        described = fields.get(number)
        if isinstance(described, dict) and isinstance(described.get(encoding), int):
            found: int = described[encoding]
            return found
    return None


class _Compact:
    """Reads a struct of Thrift's compact protocol; raises `IndexError` where it makes no sense."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, object]:
        """Return the fields by their numbers; those that are neither number nor struct are None."""
        if depth > _MOST_NESTED:
            raise IndexError
        fields: dict[int, object] = {}
        number = 0
        while (head := self._byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self._number()
            fields[number] = self._value(head & 0x0F, depth)
        return fields

    def _value(self, kind: int, depth: int) -> object:
        if kind in {_TRUE, _FALSE}:
            return None
        if kind == _BYTE:
            return self._byte()
        if kind < _DOUBLE:
            return self._number()
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in {_DOUBLE, _BINARY}:
            self._skip(8 if kind == _DOUBLE else self._varint())
        elif kind in {_LIST, _SET}:
            head = self._byte()
            size = self._varint() if head >> 4 == 0x0F else head >> 4
            for _ in range(min(size, len(self._raw) + 1)):
                self._value(head & 0x0F, depth + 1)
        else:
            raise IndexError  # a page's header has no map
        return None

    def _skip(self, size_bytes: int) -> None:
        self.at += size_bytes
        if self.at > len(self._raw):
            raise IndexError

    def _byte(self) -> int:
        self.at += 1
        return self._raw[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def _number(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)
