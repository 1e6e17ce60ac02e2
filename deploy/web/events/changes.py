"""What has changed in PostgreSQL since a moment: one query for all kinds of change."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.transport.postgres import Connection

MOST_IDS: Final = 500
"""Removed ids that one change names; where there are more, a client reads anew what it shows."""

_LONGEST_TRANSACTION: Final = timedelta(minutes=10)

# The moment of a row is taken within its transaction and seen only after it: so the next look
# begins where the oldest open transaction began, and not at the present.
_CURSOR: Final = """
SELECT clock_timestamp(),
       least(clock_timestamp(), min(xact_start)) - interval '5 seconds'
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid()
"""

# Figures are noted once a second, so what moved in the second after is told by the second look.
_FIGURES: Final = """
SELECT run, changed_at, clock_timestamp() > changed_at + interval '1500 milliseconds'
FROM runs WHERE changed_at > %(since)s
"""
_ALARMS: Final = """
SELECT alarm_id, run, rule, signal, subject, kind, raised_at, ended_at, acknowledged_at
FROM alarms
WHERE raised_at > %(since)s OR ended_at > %(since)s OR acknowledged_at > %(since)s
      OR taken_back_at > %(since)s
ORDER BY raised_at, alarm_id
"""
_PROMOTIONS: Final = """
SELECT promotion_id, event -> 'models' -> 0 ->> 'name', event -> 'models' -> 0 ->> 'version',
       event -> 'models' -> 0 ->> 'sha256'
FROM promotions WHERE promoted_at > %(since)s OR published_at > %(since)s
ORDER BY promotion_no
"""
_JOBS: Final = """
SELECT job_no, run, state, stage, cancel_asked
FROM retrain_jobs
WHERE state IN ('queued', 'running') OR created_at > %(since)s OR ended_at > %(since)s
ORDER BY job_no
"""
_EVALUATIONS: Final = """
SELECT evaluation_no, run, state, data_set, texts_done, texts
FROM evaluations WHERE changed_at > %(since)s ORDER BY evaluation_no
"""
# Counted first: a run of too many is told to be read anew, and none of another run is cut off.
_REMOVED_RUNS: Final = """
SELECT run, count(*), max(created_at) FROM tombstones WHERE created_at > %(since)s GROUP BY run
"""
_REMOVALS: Final = """
SELECT run, kind, id FROM tombstones WHERE created_at > %(since)s AND run = ANY(%(runs)s)
ORDER BY run, kind, id
"""
_DELETED_RUNS: Final = """
SELECT run, deleted_at FROM deleted_runs WHERE deleted_at > %(since)s ORDER BY run
"""


class ChangeKind(StrEnum):
    """What a change is of; the name of its event."""

    FIGURES = "figures"
    ALARM = "alarm"
    PROMOTION = "promotion"
    JOB = "job"
    REMOVAL = "removal"


class Change(Struct, frozen=True, kw_only=True):
    """One change. `run` None: it concerns every run. `data` is what clients are told.

    `key` is the same whenever the same change is found, and another one for each other change.
    """

    kind: ChangeKind
    key: str
    run: str | None
    data: dict[str, Any]

    def concerns(self, run: str | None) -> bool:
        """Tell whether whoever looks at a run (None: at all) has to hear of it."""
        return run is None or self.run is None or self.run == run


class Changes(Struct, frozen=True, kw_only=True):
    """What changed, and from which moment on to ask the next time: then nothing is missed.

    `until` is before the moment of reading, so that some changes are found twice.
    """

    until: datetime
    found: list[Change]


def read_changes(connection: Connection, since: datetime | None) -> Changes:
    """Return what changed since a moment of the database's clock; None: nothing but the moment."""
    with connection, connection.cursor() as cur:
        cur.execute(_CURSOR)
        now, open_since = cur.fetchall()[0]
        until = max(open_since or now - timedelta(seconds=5), now - _LONGEST_TRANSACTION)
        if since is None:
            return Changes(until=until, found=[])
        at = {"since": since}
        found = [
            *_figures(cur, at),
            *_alarms(cur, at),
            *_promotions(cur, at),
            *_jobs(cur, at),
            *_removals(cur, at),
        ]
    # A clock that was set back must not have the same found for ever.
    return Changes(until=max(until, since), found=found)


def grouped(changes: Iterable[Change]) -> list[Change]:
    """Return changes with the removals of each run in one; where they are many, without ids."""
    removals: dict[str, list[Change]] = {}
    found = []
    for change in changes:
        if change.kind is ChangeKind.REMOVAL:
            removals.setdefault(change.data["run"], []).append(change)
        else:
            found.append(change)
    return found + [_together(of_run) for of_run in removals.values()]


def _together(removals: Sequence[Change]) -> Change:
    first = removals[0]
    tweets = [each for change in removals for each in change.data["tweet_ids"]]
    authors = [each for change in removals for each in change.data["author_ids"]]
    everything = len(tweets) + len(authors) > MOST_IDS or any(
        change.data["everything"] for change in removals
    )
    data = {
        "run": first.data["run"],
        "tweet_ids": [] if everything else tweets,
        "author_ids": [] if everything else authors,
        "everything": everything,
    }
    return Change(kind=first.kind, key=first.key, run=first.run, data=data)


def _figures(cur: cursor, at: dict[str, datetime]) -> Iterator[Change]:
    cur.execute(_FIGURES, at)
    for run, moved_at, settled in cur:
        yield _change(ChangeKind.FIGURES, run, {"run": run}, moved_at, settled)


def _alarms(cur: cursor, at: dict[str, datetime]) -> Iterator[Change]:
    cur.execute(_ALARMS, at)
    names = [column.name for column in cur.description or ()]
    for row in cur:
        data = dict(zip(names, row, strict=True))
        yield _change(ChangeKind.ALARM, data["run"], data)


def _promotions(cur: cursor, at: dict[str, datetime]) -> Iterator[Change]:
    cur.execute(_PROMOTIONS, at)
    names = ("promotion_id", "name", "version", "sha256")
    for row in cur:
        yield _change(ChangeKind.PROMOTION, None, dict(zip(names, row, strict=True)))


def _jobs(cur: cursor, at: dict[str, datetime]) -> Iterator[Change]:
    cur.execute(_JOBS, at)
    names = ("job", "run", "state", "stage", "cancel_asked")
    for row in cur:
        data = {"what": "training", **dict(zip(names, row, strict=True))}
        yield _change(ChangeKind.JOB, data["run"], data)
    cur.execute(_EVALUATIONS, at)
    of_evaluations = ("job", "run", "state", "data_set", "texts_done", "texts")
    for row in cur:
        data = {"what": "evaluation", **dict(zip(of_evaluations, row, strict=True))}
        yield _change(ChangeKind.JOB, data["run"], data)


def _removals(cur: cursor, at: dict[str, datetime]) -> Iterator[Change]:
    cur.execute(_REMOVED_RUNS, at)
    few = []
    for run, count, last_at in cur.fetchall():
        if count > MOST_IDS:
            # More of them, or a later one, is another change.
            yield _removal(run, {"everything": True}, count, last_at)
        else:
            few.append(run)
    cur.execute(_REMOVALS, {**at, "runs": few})
    for run, kind, id_ in cur:
        yield _removal(run, {f"{kind}_ids": [id_]})
    cur.execute(_DELETED_RUNS, at)
    for run, deleted_at in cur:
        yield _removal(run, {"everything": True}, deleted_at)


def _removal(run: str, what: dict[str, Any], *key: object) -> Change:
    data = {"run": run, "tweet_ids": [], "author_ids": [], "everything": False, **what}
    # What X takes back is gone from every run.
    return _change(ChangeKind.REMOVAL, None if run == LIVE else run, data, *key)


def _change(kind: ChangeKind, run: str | None, data: dict[str, Any], *key: object) -> Change:
    return Change(kind=kind, key=f"{kind} {data} {key}", run=run, data=data)
