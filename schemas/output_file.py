"""Where a command writes what people take away."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from schemas.failures import Failure
from schemas.private_files import create_private


@contextmanager
def opened_output(output: Path | None) -> Iterator[BinaryIO]:
    """Open what a command writes: a file that appears whole, or standard output for None.

    A file is written under another name beside it and renamed at the end; only its owner may read
    it. A pipe or a device is written to as it is, and behind a link what it names. Raises `Failure`
    where it cannot be written.
    """
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        # Nothing can be put in the place of a device or a pipe; what a link names can be.
        is_no_file = output.exists() and not output.is_file()
        with output.open("wb") if is_no_file else _whole(output.resolve()) as file:
            yield file
    except OSError as error:
        raise Failure(f"cannot write {output}: {error.strerror or error}") from error


@contextmanager
def _whole(output: Path) -> Iterator[BinaryIO]:
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    with create_private(partial) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(output)
        finally:
            partial.unlink(missing_ok=True)
