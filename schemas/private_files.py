"""Files that only their owner may read."""

import os
from pathlib import Path
from typing import BinaryIO

from schemas.failures import Failure


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, mode 0600; a reader sees the old text or the new one."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def create_private(path: Path) -> BinaryIO:
    """Create a file that only its owner may read, mode 0600, and open it for writing.

    Raises `FileExistsError` where there is one already, and any other `OSError`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def make_private_folder(path: Path) -> Path:
    """Make a folder and its parents where missing; the folder itself gets mode 0700.

    Raises `Failure` where it cannot be made; for folders in `MURMUR_HOME`, which it names.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            f"cannot make the folder {path}: {error.strerror}; set MURMUR_HOME to another place"
        ) from error
    return path
