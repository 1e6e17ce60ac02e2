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
    alarm that a window before its own raised, and does nothing where there is none.
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
        " since, window_start, window_end, value, reference, tweets, false_alarms_per_year)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
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
        ),
    )


def _end(cur: cursor, alarm: Ended) -> None:
    # A repeated end may not reach an alarm that was raised after it.
    cur.execute(
        "UPDATE alarms SET ended_at = now(), ended_window_start = %s, ended_window_end = %s,"
        " ended_value = %s"
        " WHERE (run, rule, signal, subject) = (%s, %s, %s, %s) AND ended_at IS NULL"
        " AND window_start <= %s",
        (
            alarm.window_start,
            alarm.window_end,
            alarm.value,
            *_columns(alarm.id),
            alarm.window_start,
        ),
    )


def _columns(alarm: AlarmId) -> tuple[str, str, str, str]:
    return alarm.run, alarm.rule, alarm.signal.value, alarm.subject
