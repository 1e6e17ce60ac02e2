"""What a person names (files, folders, patterns, `-`) to the files that are meant."""

import glob
import io
import re
import select
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from schemas.failures import Failure

STANDARD_INPUT: Final = Path("-")
_ASK_EVERY_S: Final = 0.25
_NUMBER: Final = re.compile(r"([0-9]+)")


class Input(NamedTuple):
    """A file to read. `named` tells whether a person named it, or it was found in a folder."""

    path: Path
    named: bool


def inputs_of(arguments: Sequence[str]) -> list[Input]:
    """Return the files that are meant: those of folders and patterns by name, hidden ones not.

    Numbers in names go by their value: captures named by the hour come in the order of time,
    `9.jsonl` before `10.jsonl`. Files named one by one stay in the order given.

    Raises `Failure` where an argument means no file.
    """
    found: dict[Path, Input] = {}
    for argument in arguments:
        for each in _inputs(argument):
            found.setdefault(each.path, each)
    return list(found.values())


def _inputs(argument: str) -> Iterator[Input]:
    path = Path(argument)
    if path == STANDARD_INPUT or path.is_file():
        yield Input(path, named=True)
        return
    if path.is_dir():
        matches = [path]
    elif glob.has_magic(argument):
        matches = [Path(match) for match in glob.glob(argument, recursive=True)]  # noqa: PTH207 (Path.glob takes no absolute pattern)
    elif path.exists():
        raise Failure(
            f"{path} is not a regular file: pass it as standard input, `murmur replay - < {path}`"
        )
    else:
        raise Failure(f"{path}: no such file or folder")
    files = [file for match in matches for file in _files_within(match)]
    if not files:
        raise Failure(f"{argument}: no files found")
    for file in sorted(files, key=_by_name):
        yield Input(file, named=False)


def _by_name(path: Path) -> tuple[list[list[tuple[int, str]]], str]:
    """Return what sorts by folder and name, numbers in them by their value."""
    # Texts and numbers take turns, so that only like is compared with like.
    parts = [
        [(int(part), "") if _NUMBER.fullmatch(part) else (0, part) for part in _NUMBER.split(name)]
        for name in path.parts
    ]
    return parts, str(path)


def _files_within(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in path.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if not hidden and file.is_file():
            yield file


class InterruptibleInput(io.RawIOBase):
    """Standard input that ends when the replay is to stop, also while nothing comes."""

    def __init__(self, file: io.FileIO, stopped: Callable[[], bool]) -> None:
        self._file = file
        self._stopped = stopped

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fill a buffer with what is there, waiting for some; 0 at the end."""
        while not self._stopped():
            if select.select([self._file], [], [], _ASK_EVERY_S)[0]:
                return self._file.readinto(buffer) or 0
        return 0
