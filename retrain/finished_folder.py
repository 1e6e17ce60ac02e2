"""A folder that is there whole, on the disk, or not at all."""

import os
from pathlib import Path


def put_in_place(unfinished: Path, place: Path) -> None:
    """Move a finished folder of files to its place, after all of it is on the disk."""
    for path in (*unfinished.iterdir(), unfinished):
        _flush_to_disk(path)
    unfinished.rename(place)
    _flush_to_disk(place.parent)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
