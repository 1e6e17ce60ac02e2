"""A small disk for the stack's folder, which can be filled."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SIZE_MB: Final = 1_500
_BLOCK: Final = b"\0" * 65_536


@dataclass(frozen=True)
class Disk:
    """A folder; `is_small` says that it lies on a file system of its own that may be filled."""

    folder: Path
    is_small: bool

    def fill(self) -> None:
        """Take all the space there is."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(_BLOCK)
            except OSError:
                return

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@contextmanager
def small_disk() -> Iterator[Disk]:
    """Mount a file system in memory where this user may; else yield a plain folder."""
    folder = Path(tempfile.mkdtemp(prefix="murmur-torture-"))
    try:
        with mounted_disk(folder, SIZE_MB) as mounted:
            yield Disk(folder, mounted)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mounted_disk(folder: Path, size_mb: int) -> Iterator[bool]:
    """Mount a file system in memory at a folder, and tell whether this user may."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "tmpfs", str(folder)]
    mounted = (
        os.geteuid() == 0
        and shutil.which("mount") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
