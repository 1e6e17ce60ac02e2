"""Alarms in PostgreSQL: raised and ended in the transaction of the windows that decided them."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from psycopg2.extensions import cursor

from retrain.drift.alarm import AlarmId, Ended, Raised


def alarm_key(alarm: AlarmId, window_start: datetime) -> str:
    """Return what identifies an alarm: the same 32 hexadecimal digits whenever it is raised."""
    named = [alarm.run, alarm.rule, alarm.signal.value, alarm.subject]
    start = window_start.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(msgspec.json.encode([*named, start])).hexdigest()[:32]


def record(cur: cursor, alarms: Sequence[Raised | Ended]) -> None:
    """Store what was raised and ended, in the order given, in the caller's transaction.

    May be repeated: the same alarm raised twice is one, and what ended stays ended. Of one
    `AlarmId` at most one alarm is open: another is not raised while it is. An `Ended` ends the open
    alarm that its own window raised or one before, and does nothing where there is none. Of one
    `AlarmId` a window raises at most one alarm, and ends at most one.
    """
    for alarm in alarms:
        match alarm:
            case Raised():
                _raise(cur, alarm)
            case Ended():
                _end(cur, alarm)


def _raise(cur: cursor, alarm: Raised) -> None:
    # Whichever of the two keys is there already: the alarm itself, or one of it that is open.
    cur.execute(
        "INSERT INTO alarms (alarm_id, run, rule, signal, subject, kind, detector, model_sha256,"
        " since, window_start, window_end, value, reference, tweets, false_alarms_per_year,"
        " compared_with) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (
            alarm_key(alarm.id, alarm.window_start),
            *_columns(alarm.id),
            alarm.kind.value,
            alarm.detector,
            alarm.model_sha256,
            alarm.since,
            alarm.window_start,
            alarm.window_end,
            alarm.value,
            alarm.reference,
            alarm.tweets,
            alarm.false_alarms_per_year,
            alarm.compared_with.value,
        ),
    )


def _end(cur: cursor, alarm: Ended) -> None:
    # A repeated end may not reach an alarm that was raised after it, in the same window perhaps.
    cur.execute(
        "UPDATE alarms SET ended_at = now(), ended_window_start = %(start)s,"
        " ended_window_end = %(end)s, ended_value = %(value)s"
        " WHERE (run, rule, signal, subject) = %(id)s AND ended_at IS NULL"
        " AND window_start <= %(start)s AND NOT EXISTS ("
        "  SELECT FROM alarms WHERE (run, rule, signal, subject) = %(id)s"
        "  AND ended_window_start = %(start)s"
        " )",
        {
            "start": alarm.window_start,
            "end": alarm.window_end,
            "value": alarm.value,
            "id": _columns(alarm.id),
        },
    )


def _columns(alarm: AlarmId) -> tuple[str, str, str, str]:
    return alarm.run, alarm.rule, alarm.signal.value, alarm.subject
