"""Which file is this? Told by content, so that a renamed or moved file is the same one."""

import hashlib
from collections.abc import Callable
from pathlib import Path

_PIECE_BYTES = 1024 * 1024


def file_sha256(path: Path, on_read: Callable[[int], None] = lambda _bytes: None) -> str:
    """Return the SHA-256 of a file's bytes as they are stored (compressed or not), in hex.

    `on_read` is told of each piece's size in bytes. Raises `OSError`.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            on_read(len(piece))
    return digest.hexdigest()
