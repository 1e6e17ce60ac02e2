"""Searching everything that a run has written for a secret, compressed or not."""

from pathlib import Path

from producers.archives.compression import decompressed
from producers.archives.expansion import DamagedFile


def files_with(secret: str, folder: Path) -> list[str]:
    """Return the files below a folder that hold the secret."""
    return [
        file.name
        for file in sorted(folder.rglob("*"))
        if file.is_file() and secret.encode() in _content(file)
    ]


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    with path.open("rb") as file:
        try:
            for piece in decompressed(file):
                content += piece
        except DamagedFile:
            pass
    return content
