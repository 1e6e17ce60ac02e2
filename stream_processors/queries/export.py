"""`murmur export`: a run's tweets to standard output or to a file that appears whole."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Generic, Literal, TypeVar

from schemas.escape_for_terminal import printable, printable_json
from schemas.failures import Failure
from schemas.private_files import create_private
from schemas.transport.postgres import Connection
from stream_processors.queries.export_parquet import write_parquet
from stream_processors.queries.export_rows import ALL_TWEETS, Choice, ids_of, labels_of, rows_of
from stream_processors.queries.export_text import csv_chunks, json_lines
from stream_processors.queries.known_runs import require_run

Format = Literal["jsonl", "csv", "parquet", "ids"]
ItemT = TypeVar("ItemT")


class EmptyRun(Failure):
    """The run exists but has no tweets; no file was written."""


class _Counted(Generic[ItemT]):
    def __init__(self, items: Iterable[ItemT]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[ItemT]:
        for item in self._items:
            self.count += 1
            yield item


def export_run(
    connection: Connection,
    run: str,
    form: Format,
    output: Path | None,
    *,
    guard_csv: bool = True,
    choice: Choice = ALL_TWEETS,
) -> int:
    """Write a run's tweets, or those of a choice, and return how many.

    No `output` means standard output.

    All are of one moment of the database, ordered by day and root id: the same data gives the
    same bytes. Memory does not grow with the run. A file is written under another name beside it
    and renamed at the end; a pipe or a device is written to as it is, and behind a link what it
    names. Only its owner may read the file. What a terminal would obey is escaped on one. Raises
    `UnknownRun` and `EmptyRun` before anything is written.
    """
    require_run(connection, run)
    with connection:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if form == "ids":
            ids = _Counted(_not_empty(run, choice, ids_of(connection, run, choice)))
            _write((f"{tweet_id}\n".encode() for tweet_id in ids), output, form)
            return ids.count
        labels = labels_of(connection, run)
        rows = _Counted(_not_empty(run, choice, rows_of(connection, run, choice)))
        if form == "parquet":
            with _opened(output) as file:
                write_parquet(rows, labels, file)
        else:
            chunks = json_lines(rows) if form == "jsonl" else csv_chunks(rows, labels, guard_csv)
            _write(chunks, output, form)
        return rows.count


def _not_empty(run: str, choice: Choice, items: Iterator[ItemT]) -> Iterator[ItemT]:
    first = next(items, None)
    if first is None and not choice.is_everything:
        raise EmptyRun(f"no tweet of run {run!r} is in this choice of time, rules and labels")
    if first is None:
        raise EmptyRun(f"run {run!r} has no tweets to export")
    return chain([first], items)


def _write(chunks: Iterable[bytes], output: Path | None, form: Format) -> None:
    to_terminal = output is None and sys.stdout.isatty()
    with _opened(output) as file:
        for chunk in chunks:
            file.write(_for_terminal(chunk, form) if to_terminal else chunk)


def _for_terminal(chunk: bytes, form: Format) -> bytes:
    if form == "jsonl":
        return printable_json(chunk)
    return printable(chunk.decode(), keep="\r\n").encode()


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
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
