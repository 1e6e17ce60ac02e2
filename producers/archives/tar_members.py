"""The files within a tar, read forwards at constant memory."""

import tarfile
from collections.abc import Iterator
from typing import Final, NamedTuple

from producers.archives.byte_stream import ByteStream
from producers.archives.expansion import DamagedFile
from producers.archives.member import Member

BLOCK_BYTES: Final = 512
_MAX_NAME_BYTES: Final = 64 * 1024
_NAME_TYPES: Final = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_TOLERANT: Final = ("utf-8", "surrogateescape")


def is_tar(beginning: bytes) -> bool:
    """Tell whether a file begins with a tar's header, its checksum being right."""
    return _header(beginning[:BLOCK_BYTES]) is not None


def tar_members(pieces: Iterator[bytes]) -> Iterator[Member]:
    """Yield the regular files of a tar; what is not read of one is passed over.

    Where a header is destroyed, reading goes on at the next sound one, with a member that says
    so in between; a tar that is cut ends with such a member. Raises nothing but what the
    caller's own reading of a content raises: `DamagedFile` or `OSError`.
    """
    stream = ByteStream(pieces)
    number = 0
    try:
        for name, size_bytes, damage in _entries(stream):
            content = stream.pieces(size_bytes)
            yield Member(number, name, content, damage)
            number += 1
            for _ in content:
                pass
            stream.read(-size_bytes % BLOCK_BYTES)
    except (DamagedFile, OSError) as error:
        yield Member(number, "", iter(()), f"damaged tar: {error}")


class _Entry(NamedTuple):
    name: str
    size_bytes: int
    damage: str | None = None


def _entries(stream: ByteStream) -> Iterator[_Entry]:
    """Yield the regular files and what is damaged, the stream standing at their content."""
    extended = _Extended()
    for header in _headers(stream):
        if isinstance(header, _Entry):
            yield header
        elif header.type in _NAME_TYPES and header.size <= _MAX_NAME_BYTES:
            extended = _extended(header, stream, extended)
        else:
            size_bytes = header.size if extended.size_bytes is None else extended.size_bytes
            if header.isreg():
                yield _Entry(extended.name or header.name, size_bytes)
            elif not header.isdir():
                for _ in stream.pieces(size_bytes + -size_bytes % BLOCK_BYTES):
                    pass
            extended = _Extended()


def _headers(stream: ByteStream) -> Iterator[tarfile.TarInfo | _Entry]:
    """Yield sound headers, and in their place what is damaged."""
    ended = False
    lost_from: int | None = None
    while block := stream.read(BLOCK_BYTES):
        header = _header(block)
        if header is not None:
            if lost_from is not None:
                yield _lost(lost_from, stream.offset_bytes - BLOCK_BYTES)
                lost_from = None
            ended = False
            yield header
        elif not any(block):
            ended = True
        elif lost_from is None:
            lost_from = stream.offset_bytes - len(block)
    if lost_from is not None:
        yield _lost(lost_from, stream.offset_bytes)
    elif not ended:
        yield _Entry("", 0, "damaged tar: its end mark is missing, so the file is incomplete")


class _Extended(NamedTuple):
    """What headers before a file's own say of it."""

    name: str | None = None
    size_bytes: int | None = None


def _extended(header: tarfile.TarInfo, stream: ByteStream, known: _Extended) -> _Extended:
    body = b"".join(stream.pieces(header.size))
    stream.read(-header.size % BLOCK_BYTES)
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return known._replace(name=body.rstrip(b"\0").decode(*_TOLERANT))
    for line in body.split(b"\n"):
        key, _, value = line.partition(b" ")[2].partition(b"=")
        if key == b"path":
            known = known._replace(name=value.decode(*_TOLERANT))
        elif key == b"size" and value.isdigit():
            known = known._replace(size_bytes=int(value))
    return known


def _lost(start: int, end: int) -> _Entry:
    return _Entry("", 0, f"damaged tar: no valid header in bytes {start} to {end}")


def _header(block: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(block, *_TOLERANT)
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None
