"""The files within a zip, each read forwards at constant memory."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from producers.archives.compression import DamagedFile
from producers.archives.member import Member

_PIECE_BYTES: Final = 128 * 1024
_ENCRYPTED: Final = 0x1

# What Python's own reader raises where the bytes make no sense.
_DAMAGES: Final = (BadZipFile, EOFError, OverflowError, ValueError, struct.error, zlib.error)


def is_zip(beginning: bytes) -> bool:
    """Tell whether a file begins as a zip does, one without files among them."""
    return beginning.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def zip_members(file: BinaryIO) -> Iterator[Member]:
    """Yield the regular files of a zip, which must be able to seek, in the order of its list.

    The list stands at the zip's end and is held in memory, less than a kilobyte for each file:
    of a zip that was cut nothing is read, and one member says so. Raises nothing but what the
    caller's own reading of a content raises: `DamagedFile`.
    """
    try:
        packed = ZipFile(file)
    except (*_DAMAGES, NotImplementedError, OSError) as error:
        yield Member(0, "", iter(()), f"damaged zip, its list of files is missing: {error}")
        return
    with packed:
        regular = (info for info in packed.infolist() if not info.filename.endswith("/"))
        for number, info in enumerate(regular):
            yield Member(number, info.filename, _content(packed, info))


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
