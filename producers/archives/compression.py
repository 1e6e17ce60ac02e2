"""Decompressing at constant memory; the compression is found by content, never by name."""

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

import zstandard

from producers.archives.expansion import CountedFile, DamagedFile, Expansion

_READ_BYTES: Final = 128 * 1024

# One call of zstandard's decompressor answers all that its input holds: up to 32 KiB for each
# byte of a hostile file. Small bites bound that to 4 MiB.
_ZSTD_BITE_BYTES: Final = 128
_ZSTD_LARGEST_WINDOW: Final = 2**27
"""What `zstd --long` writes: a window takes as much memory as the file says."""

_ZSTD_SKIPPABLE: Final = tuple(bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60))


def decompressed(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a plain, .gz, .bz2 or .zst file, opened at its start, in pieces.

    A file that cannot seek is a buffered one, which can look ahead.

    Files of several members or frames are read to the end of the last. Raises `DamagedFile`
    after everything that could be read, or where more comes of the file than an archive holds
    (`producers.archives.expansion`), and `OSError` where the disk fails.
    """
    beginning = beginning_of(file)
    for mark, unpacked in _COMPRESSIONS:
        if beginning.startswith(mark):
            expansion = Expansion()
            return expansion.bounded(unpacked(CountedFile(file, expansion)))
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


def _gzip(file: CountedFile) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as stream:
        while True:
            try:
                piece = stream.read1(_READ_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DamagedFile(f"damaged gzip data: {error}") from error
            if not piece:
                return
            yield piece


def _bzip2(file: CountedFile) -> Iterator[bytes]:
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


def _zstd(file: CountedFile) -> Iterator[bytes]:
    frames = _ZstdFrames()
    while stored := file.read(_READ_BYTES):
        unpacked: list[bytes] = []
        size_bytes = 0
        for start in range(0, len(stored), _ZSTD_BITE_BYTES):
            try:
                unpacked.append(frames.unpacked(stored[start : start + _ZSTD_BITE_BYTES]))
            except DamagedFile:
                yield from filter(None, unpacked)
                raise
            size_bytes += len(unpacked[-1])
            if size_bytes >= _READ_BYTES:
                yield b"".join(unpacked)
                unpacked.clear()
                size_bytes = 0
        if size_bytes:
            yield b"".join(unpacked)
    if frames.begun:
        raise DamagedFile("damaged zstd data: the file ends within a frame")


class _ZstdFrames:
    """Frames one after the other; `begun` tells whether one is open."""

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_LARGEST_WINDOW)
        self._frame = self._decompressor.decompressobj()
        self.begun = False

    def unpacked(self, bite: bytes) -> bytes:
        """Return what a bite unpacks to; raise `DamagedFile` where it makes no sense."""
        parts = []
        while bite:
            if not self.begun:
                _check_window(bite)
            try:
                parts.append(self._frame.decompress(bite))
            except zstandard.ZstdError as error:
                raise DamagedFile(f"damaged zstd data: {error}") from error
            self.begun, bite = True, b""
            if self._frame.eof:
                bite = self._frame.unused_data
                self._frame, self.begun = self._decompressor.decompressobj(), False
        return b"".join(parts)


def _check_window(beginning: bytes) -> None:
    """Raise `DamagedFile` where a frame wants more memory than is given to any."""
    try:
        window_bytes = zstandard.get_frame_parameters(beginning).window_size
    except zstandard.ZstdError:
        return  # too short to tell, or no frame: decompressing says what it is
    if window_bytes > _ZSTD_LARGEST_WINDOW:
        raise DamagedFile(
            f"its zstd window is {window_bytes >> 20:,} MiB, at most {_ZSTD_LARGEST_WINDOW >> 20} "
            "are held in memory: decompress it first, `zstd -dc --long=31 FILE`"
        )


_COMPRESSIONS: Final = (
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bzip2),
    (b"\x28\xb5\x2f\xfd", _zstd),
    *((mark, _zstd) for mark in _ZSTD_SKIPPABLE),
)
