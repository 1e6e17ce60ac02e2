"""Decompressing at constant memory; the compression is found by content, never by name."""

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

import zstandard

_READ_BYTES: Final = 128 * 1024

# One call of zstandard's decompressor answers all that its input holds: up to 32 KiB for each
# byte of a hostile file. Small bites bound that, and cost nothing measurable.
_ZSTD_BITE_BYTES: Final = 4 * 1024
_ZSTD_LARGEST_WINDOW: Final = 2**31
"""What `zstd --long=31` writes, as large public archives do; only such files take the memory."""

_ZSTD_SKIPPABLE: Final = tuple(bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60))


class DamagedFile(Exception):
    """The compressed data ends early or makes no sense; what came before it is good."""


def decompressed(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a plain, .gz, .bz2 or .zst file, opened at its start, in pieces.

    A file that cannot seek is a buffered one, which can look ahead.

    Files of several members or frames are read to the end of the last. Raises `DamagedFile`
    after everything that could be read, and `OSError` where the disk fails.
    """
    beginning = beginning_of(file)
    if beginning.startswith(b"\x1f\x8b"):
        return _gzip(file)
    if beginning.startswith(b"BZh"):
        return _bzip2(file)
    if beginning == b"\x28\xb5\x2f\xfd" or beginning in _ZSTD_SKIPPABLE:
        return _zstd(file)
    if isinstance(file, io.BufferedReader):
        return iter(partial(file.read1, _READ_BYTES), b"")
    return iter(partial(file.read, _READ_BYTES), b"")


def beginning_of(file: BinaryIO) -> bytes:
    """Return the first four bytes, which are still to be read; at its start, as above."""
    if isinstance(file, io.BufferedReader):
        return file.peek(4)[:4]
    beginning = file.read(4)
    file.seek(0)
    return beginning


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as stream:
        while True:
            try:
                piece = stream.read1(_READ_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DamagedFile(f"damaged gzip data: {error}") from error
            if not piece:
                return
            yield piece


def _bzip2(file: BinaryIO) -> Iterator[bytes]:
    with bz2.BZ2File(file) as stream:
        while True:
            try:
                piece = stream.read1(_READ_BYTES)
            except EOFError as error:
                raise DamagedFile(f"damaged bzip2 data: {error}") from error
            except OSError as error:
                if error.errno is not None:
                    raise
                raise DamagedFile(f"damaged bzip2 data: {error}") from error
            if not piece:
                return
            yield piece


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_LARGEST_WINDOW)
    frame = decompressor.decompressobj()
    begun = False
    while bite := file.read(_ZSTD_BITE_BYTES):
        while bite:
            try:
                piece = frame.decompress(bite)
            except zstandard.ZstdError as error:
                raise DamagedFile(f"damaged zstd data: {error}") from error
            begun, bite = True, b""
            if piece:
                yield piece
            if frame.eof:
                bite, frame, begun = frame.unused_data, decompressor.decompressobj(), False
    if begun:
        raise DamagedFile("damaged zstd data: the file ends within a frame")
