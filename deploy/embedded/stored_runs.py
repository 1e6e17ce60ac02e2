"""Which runs the data of a stack hold, also while it is down: asked before they are deleted."""

from collections.abc import Callable
from contextlib import closing

import msgspec
import psycopg2
from msgspec import Struct

from deploy.embedded.layout import Layout
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.private_files import write_private
from schemas.transport.postgres import Connection
from stream_processors.queries.run_list import summaries


class StoredRun(Struct, frozen=True):
    """A run, how many tweets of it are stored, and how many labels of people no file brought."""

    run: str
    tweets: int
    labels: int = 0

    @property
    def can_be_made_again(self) -> bool:
        """Whether a replay of its archives makes the run anew.

        The live stream does not come again: X sends each tweet once, and takes money for each. Nor
        do the hours of people who labelled.
        """
        return self.run != LIVE and not self.labels


def stored_runs(connect: Callable[[], Connection]) -> list[StoredRun] | None:
    """Ask PostgreSQL for its runs; None where it does not tell."""
    try:
        with closing(connect()) as connection:
            found = summaries(connection)
            labels = _labels(connection)
        return [StoredRun(each.run, each.tweets, labels.get(each.run, 0)) for each in found]
    except psycopg2.errors.UndefinedTable:
        return []
    except (Failure, psycopg2.Error):
        return None


def _labels(connection: Connection) -> dict[str, int]:
    try:
        with connection, connection.cursor() as cur:
            cur.execute("SELECT run, count(*) FROM labels WHERE origin <> 'import' GROUP BY run")
            return dict(cur.fetchall())
    except psycopg2.errors.UndefinedTable:
        return {}


def remember_runs(layout: Layout, runs: list[StoredRun] | None) -> None:
    """Keep the list while the stack is down. None, for a stack that starts, forgets it."""
    if runs is None:
        layout.runs.unlink(missing_ok=True)
    else:
        write_private(layout.runs, msgspec.json.encode(runs).decode())


def remembered_runs(layout: Layout) -> list[StoredRun] | None:
    """Return the runs at the last orderly stop; None where there was none since the last start.

    Raises `Failure` where the list is damaged.
    """
    try:
        return msgspec.json.decode(layout.runs.read_bytes(), type=list[StoredRun])
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise Failure(f"{layout.runs} is damaged ({error}): remove it") from error
