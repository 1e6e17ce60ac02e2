"""Alarms as they are stored: found, and acknowledged."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.alarm_events import AlarmKind, ComparedWith
from schemas.failures import Failure, NotThere

LEAST_ID_CHARS: Final = 6
"""So many of the first characters of an id name an alarm, where only one begins so."""

_COLUMNS: Final = (
    "alarm_id, run, rule, signal, subject, kind, detector, model_sha256, since, window_start,"
    " window_end, value, reference, tweets, false_alarms_per_year, ended_window_start,"
    " ended_window_end, ended_value, raised_at, ended_at, acknowledged_at, acknowledged_by,"
    " acknowledged_note, compared_with"
)


class StoredAlarm(Struct, frozen=True, kw_only=True):
    """A row of the table `alarms`. `rule` is empty where all tweets of the run are meant."""

    alarm_id: str
    run: str
    rule: str
    kind: AlarmKind
    signal: str
    subject: str
    detector: str
    model_sha256: str
    since: datetime
    window_start: datetime
    window_end: datetime
    value: float
    reference: float
    tweets: int
    false_alarms_per_year: float
    compared_with: ComparedWith = ComparedWith.STREAM
    raised_at: datetime
    ended_window_start: datetime | None = None
    ended_window_end: datetime | None = None
    ended_value: float | None = None
    ended_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_note: str | None = None


class AlarmSelection(Struct, frozen=True, kw_only=True):
    """Which alarms: a filter that is None lets all pass; a `rule` of "" is all tweets."""

    run: str | None = None
    rule: str | None = None
    kind: AlarmKind | None = None
    open: bool = False


def find_alarms(cur: cursor, selection: AlarmSelection, most: int) -> tuple[int, list[StoredAlarm]]:
    """Return how many alarms there are of a selection, and the first `most` of them.

    Open ones come first, then the newest by the time of their tweets.
    """
    chosen = {
        "run": selection.run,
        "rule": selection.rule,
        "kind": selection.kind.value if selection.kind else None,
        "open": selection.open,
        "most": most,
    }
    cur.execute(f"SELECT count(*) FROM alarms WHERE {_CHOSEN}", chosen)  # noqa: S608  constants
    ((total,),) = cur.fetchall()
    cur.execute(
        f"SELECT {_COLUMNS} FROM alarms WHERE {_CHOSEN}"  # noqa: S608  constants
        " ORDER BY ended_at IS NOT NULL, window_start DESC, alarm_id LIMIT %(most)s",
        chosen,
    )
    return int(total), _alarms(cur)


def alarms_between(
    cur: cursor, run: str, start: datetime, end: datetime, most: int
) -> list[StoredAlarm]:
    """Return the alarms of a run that windows within a span raised, oldest first."""
    cur.execute(
        f"SELECT {_COLUMNS} FROM alarms WHERE run = %s AND window_start >= %s"  # noqa: S608
        " AND window_start < %s ORDER BY window_start, alarm_id LIMIT %s",
        (run, start, end, most),
    )
    return _alarms(cur)


def find_alarm(cur: cursor, alarm_id: str) -> StoredAlarm:
    """Return the one alarm whose id begins so; `Failure` where there is none, or more than one."""
    if len(alarm_id) < LEAST_ID_CHARS:
        raise Failure(f"an alarm is named by at least {LEAST_ID_CHARS} characters of its id")
    cur.execute(
        f"SELECT {_COLUMNS} FROM alarms WHERE starts_with(alarm_id, %s) LIMIT 2",  # noqa: S608
        (alarm_id.lower(),),
    )
    found = _alarms(cur)
    if not found:
        raise NotThere(f"there is no alarm {alarm_id!r}: `murmur alarms list` shows them")
    if len(found) > 1:
        raise Failure(f"several alarms begin with {alarm_id!r}: give more of the id")
    return found[0]


def acknowledge(cur: cursor, alarm_id: str, *, by: str, note: str) -> StoredAlarm:
    """Note that somebody has seen an alarm; return it as it is then.

    The last note stands; who acknowledged it first, and when, stays.
    """
    cur.execute(
        "UPDATE alarms SET acknowledged_at = coalesce(acknowledged_at, now()),"
        " acknowledged_by = coalesce(acknowledged_by, %s),"
        " acknowledged_note = coalesce(nullif(%s, ''), acknowledged_note, '')"
        " WHERE alarm_id = %s",
        (by, note, find_alarm(cur, alarm_id).alarm_id),
    )
    return find_alarm(cur, alarm_id)


def take_back(cur: cursor, alarm_id: str, *, by: str | None) -> StoredAlarm:
    """Take back that an alarm was seen, with its note; return it as it is then.

    `by` is who had acknowledged it; None: whoever did. Nothing changes where nobody has. Raises
    `Failure` where it was somebody else.
    """
    found = find_alarm(cur, alarm_id)
    cur.execute(
        "UPDATE alarms SET acknowledged_at = NULL, acknowledged_by = NULL,"
        " acknowledged_note = NULL, taken_back_at = now()"
        " WHERE alarm_id = %s AND acknowledged_at IS NOT NULL"
        " AND (%s::text IS NULL OR acknowledged_by = %s)",
        (found.alarm_id, by, by),
    )
    after = find_alarm(cur, found.alarm_id)
    if after.acknowledged_by is not None:
        raise Failure(f"{after.acknowledged_by} has acknowledged this alarm: it is theirs to undo")
    return after


_CHOSEN: Final = (
    "(%(run)s IS NULL OR run = %(run)s) AND (%(rule)s IS NULL OR rule = %(rule)s)"
    " AND (%(kind)s IS NULL OR kind = %(kind)s) AND (NOT %(open)s OR ended_at IS NULL)"
)


def _alarms(cur: cursor) -> list[StoredAlarm]:
    names = [column.name for column in cur.description or ()]
    return [msgspec.convert(dict(zip(names, row, strict=True)), StoredAlarm) for row in cur]
