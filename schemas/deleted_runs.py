"""Runs that were deleted: what came in before counts nowhere, whoever reads it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from psycopg2.extensions import cursor


def deletions_of_runs(cur: cursor, runs: Iterable[str]) -> dict[str, datetime]:
    """Return when runs were deleted: events that came in until then count nowhere."""
    cur.execute("SELECT run, deleted_at FROM deleted_runs WHERE run = ANY(%s)", (sorted(runs),))
    return dict(cur.fetchall())


def lives(run: str | None, came_at: datetime, deleted_at: Mapping[str, datetime]) -> bool:
    """Tell whether what came then is of a run that has not been deleted since."""
    return run is None or run not in deleted_at or came_at > deleted_at[run]
