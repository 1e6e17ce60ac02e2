"""Which runs have figures to be written to Redis now. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.events import LIVE

SETTLED_AFTER: Final = timedelta(seconds=10)
"""The sink notes a change of a run at most once a second and before its commit: figures may move
for a while after the moment it noted. Only a change older than this is surely all in."""


class RunChange(NamedTuple):
    """When a run's figures last moved, by the database's clock."""

    run: str
    changed_at: datetime


def due(
    changes: list[RunChange], refreshed: Mapping[str, datetime], db_now: datetime, ttl: timedelta
) -> list[str]:
    """Return the runs to refresh: those that moved since, may still move, or are `live`.

    `refreshed` holds the `changed_at` that each run had when it was last refreshed here. A run
    never refreshed here is due while an earlier refresher's document of it may still be alive.
    """

    def is_due(change: RunChange) -> bool:
        if change.run == LIVE or change.changed_at > db_now - SETTLED_AFTER:
            return True
        if change.run in refreshed:
            return change.changed_at != refreshed[change.run]
        return change.changed_at > db_now - ttl

    return [change.run for change in changes if is_due(change)]
