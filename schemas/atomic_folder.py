"""A folder that is there whole, on the disk, or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.failures import Failure


class PlaceTaken(Failure):
    """Another process is making the same folder."""


@contextmanager
def unfinished_beside(place: Path) -> Iterator[Path]:
    """Yield an empty folder beside a place to work in; it is gone afterwards.

    What a killed process left there is removed. Raises `PlaceTaken` where another one works there.
    """
    work = place.with_name(f".{place.name}.unfinished")
    descriptor = _locked_folder(work)
    if descriptor is None:
        raise PlaceTaken(f"another process is making {place}")
    try:
        for left in work.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        os.close(descriptor)


def _locked_folder(work: Path) -> int | None:
    """Make a folder if it is missing and lock it; None where another process holds it.

    Whoever is done removes the folder. What was locked may then be one that is there no more, and
    the lock of it keeps nobody out: it is made and locked anew.
    """
    while True:
        try:
            work.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(work, os.O_RDONLY)
        except (FileExistsError, FileNotFoundError):
            # It was removed just now, or between being seen and being looked at.
            if work.exists() and not work.is_dir():
                raise
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), work.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        os.close(descriptor)


def put_in_place(unfinished: Path, place: Path) -> None:
    """Move a finished folder to its place, after all of it is on the disk."""
    for path in (*unfinished.rglob("*"), unfinished):
        _flush_to_disk(path)
    unfinished.rename(place)
    _flush_to_disk(place.parent)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
