"""`murmur export`: a run's tweets to standard output or to a file that appears whole."""

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Generic, Literal, TypeVar

from schemas.escape_for_terminal import printable, printable_json
from schemas.failures import NotThere
from schemas.known_runs import require_run
from schemas.output_file import opened_output
from schemas.transport.postgres import Connection
from stream_processors.queries.export_parquet import write_parquet
from stream_processors.queries.export_rows import ALL_TWEETS, Choice, ids_of, labels_of, rows_of
from stream_processors.queries.export_text import csv_chunks, json_lines

Format = Literal["jsonl", "csv", "parquet", "ids"]
ItemT = TypeVar("ItemT")


class EmptyRun(NotThere):
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
            with opened_output(output) as file:
                write_parquet(rows, labels, file)
        else:
            chunks = json_lines(rows) if form == "jsonl" else csv_chunks(rows, labels, guard_csv)
            _write(chunks, output, form)
        return rows.count


def export_chunks(
    connection: Connection,
    run: str,
    form: Literal["jsonl", "csv", "ids"],
    *,
    guard_csv: bool = True,
    choice: Choice = ALL_TWEETS,
) -> Iterator[bytes]:
    """Yield what `export_run` would write; it leaves its transaction open until its end.

    Raises `UnknownRun` and `EmptyRun` at the first piece.
    """
    require_run(connection, run)
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if form == "ids":
        for tweet_id in _not_empty(run, choice, ids_of(connection, run, choice)):
            yield f"{tweet_id}\n".encode()
        return
    labels = labels_of(connection, run)
    rows = _not_empty(run, choice, rows_of(connection, run, choice))
    yield from json_lines(rows) if form == "jsonl" else csv_chunks(rows, labels, guard_csv)


def _not_empty(run: str, choice: Choice, items: Iterator[ItemT]) -> Iterator[ItemT]:
    first = next(items, None)
    if first is None and not choice.is_everything:
        raise EmptyRun(f"no tweet of run {run!r} is in this choice of time, rules and labels")
    if first is None:
        raise EmptyRun(f"run {run!r} has no tweets to export")
    return chain([first], items)


def _write(chunks: Iterable[bytes], output: Path | None, form: Format) -> None:
    to_terminal = output is None and sys.stdout.isatty()
    with opened_output(output) as file:
        for chunk in chunks:
            file.write(_for_terminal(chunk, form) if to_terminal else chunk)


def _for_terminal(chunk: bytes, form: Format) -> bytes:
    if form == "jsonl":
        return printable_json(chunk)
    return printable(chunk.decode(), keep="\r\n").encode()
