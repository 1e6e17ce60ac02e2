"""The files within a zip, each read forwards at constant memory."""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from producers.archives.expansion import DamagedFile, Expansion
from producers.archives.member import Member

_PIECE_BYTES: Final = 128 * 1024
_ENCRYPTED: Final = 0x1
_MAX_LIST_BYTES: Final = 16 * 1024 * 1024
"""At 46 bytes and a name a file; Python takes five times that."""

_LONGEST_END_BYTES: Final = 70_000
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LOCATOR_BYTES: Final = 20
"""The record at a zip's end, and what stands before it where the list is too long for that."""

_STANDS_ELSEWHERE: Final = 2**32 - 1

# What Python's own reader raises where the bytes make no sense.
_DAMAGES: Final = (BadZipFile, EOFError, OverflowError, ValueError, struct.error, zlib.error)


def is_zip(beginning: bytes) -> bool:
    """Tell whether a file begins as a zip does, one without files among them."""
    return beginning.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def zip_members(file: BinaryIO) -> Iterator[Member]:
    """Yield the regular files of a zip, which must be able to seek, in the order of its list.

    The list stands at the zip's end and is held in memory, some hundred MiB at most: of a zip that
    was cut, or has more files, nothing is read, and one member says so. What all files together
    unpack to is bounded (`producers.archives.expansion`). Raises nothing but what the caller's own
    reading of a content raises: `DamagedFile`.
    """
    try:
        expansion = Expansion(_checked_size(file))
        packed = ZipFile(file)
    except DamagedFile as error:
        yield Member(0, "", iter(()), str(error))
        return
    except (*_DAMAGES, NotImplementedError, OSError) as error:
        yield Member(0, "", iter(()), f"damaged zip, its list of files is missing: {error}")
        return
    with packed:
        regular = (info for info in packed.infolist() if not info.filename.endswith("/"))
        for number, info in enumerate(regular):
            yield Member(number, info.filename, expansion.bounded(_content(packed, info)))


def _checked_size(file: BinaryIO) -> int:
    """Return the file's size; raise `DamagedFile` where its list of files would fill the memory."""
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(max(0, size_bytes - _LONGEST_END_BYTES))
    end = file.read()
    at = len(end) - _END_BYTES
    if not (end[at:].startswith(_END) and end.endswith(b"\0\0")):
        at = end.rfind(_END)
    list_bytes = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    if list_bytes == _STANDS_ELSEWHERE:
        locator = end[max(0, at - _LOCATOR_BYTES) : at]
        file.seek(min(size_bytes, int.from_bytes(locator[8:16], "little")))
        list_bytes = int.from_bytes(file.read(48)[40:], "little")
    file.seek(0)
    if list_bytes > _MAX_LIST_BYTES:
        raise DamagedFile(
            f"its list of files has {list_bytes:,} bytes, at most {_MAX_LIST_BYTES:,} are held in "
            "memory: unpack the zip first"
        )
    return size_bytes


def _content(packed: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise DamagedFile("it is encrypted: unpack the zip first")
    # The others are rare, and Python's reader does not bound what a piece of them unpacks to.
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise DamagedFile(
            f"its compression method {info.compress_type} is not supported: unpack the zip first"
        )
    try:
        with packed.open(info) as content:
            while piece := content.read(_PIECE_BYTES):
                yield piece
    except (*_DAMAGES, NotImplementedError) as error:
        raise DamagedFile(f"damaged zip: {error}") from error
