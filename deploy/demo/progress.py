"""What people see while the archive is scored and stored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from deploy.demo.pipeline_wait import Remaining
from schemas.transport.postgres import Connection

Show = Callable[[Remaining], None]
"""Told what remains, each time that it has changed."""


@contextmanager
def storing_bars(
    console: Console, connection: Connection, run: str, expected_rows: int
) -> Iterator[Show]:
    """Show how much is scored and how many rows PostgreSQL holds; bars on a terminal only."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        scored = bars.add_task("scored", total=None)
        stored = bars.add_task("rows in PostgreSQL", total=expected_rows)
        most = 0

        def show(remaining: Remaining) -> None:
            nonlocal most
            if remaining.to_score < 0:
                return
            most = max(most, remaining.to_score)
            bars.update(scored, total=most, completed=most - remaining.to_score)
            bars.update(stored, completed=_rows(connection, run))

        yield show


def _rows(connection: Connection, run: str) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tweets WHERE run = %s", (run,))
        return int(cursor.fetchall()[0][0])
