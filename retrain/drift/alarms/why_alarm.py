"""What changed when an alarm was raised."""

from datetime import timedelta
from typing import Final

from psycopg2.extensions import cursor

from retrain.drift.alarms.stored_alarms import StoredAlarm
from retrain.drift.why.compare_spans import Span, Why, compare_spans
from schemas.alarm_events import Signal
from schemas.failures import Failure

WEEK: Final = timedelta(days=7)
"""A whole one has every hour of the day and day of the week."""


def why_alarm(cur: cursor, alarm: StoredAlarm) -> Why:
    """Return what changed from the span of an alarm's reference to its stretch.

    The stretch lasts from `since` to the end of the window that decided. Where the reference is not
    known, or its tweets are no longer stored, the week before the stretch takes its place; the
    result names the spans. Where the alarm is of one label, the move of that one is explained.
    Raises `Failure` where nothing of a span is stored.
    """
    reference = _reference_span(cur, alarm)
    if reference is not None:
        try:
            return _compare(cur, alarm, reference)
        except Failure:
            pass
    return _compare(cur, alarm, Span(alarm.since - WEEK, alarm.since))


def _compare(cur: cursor, alarm: StoredAlarm, before: Span) -> Why:
    return compare_spans(
        cur,
        alarm.run,
        alarm.rule,
        before=before,
        after=Span(alarm.since, alarm.window_end),
        label=alarm.subject if alarm.signal == Signal.LABEL_SHARE else None,
    )


def _reference_span(cur: cursor, alarm: StoredAlarm) -> Span | None:
    """Return the span of the reference that counted when the alarm was raised, if it is known."""
    cur.execute("SELECT to_regclass('watch_references')")
    if cur.fetchone() == (None,):
        return None
    cur.execute(
        "SELECT span_from, span_until FROM watch_references"
        " WHERE run = %s AND rule = %s AND model_sha256 = %s AND span_until <= %s"
        " AND compared_with = 'stream'"
        " ORDER BY made_at <= %s DESC, used DESC, made_at DESC LIMIT 1",
        (alarm.run, alarm.rule, alarm.model_sha256, alarm.since, alarm.raised_at),
    )
    row = cur.fetchone()
    return Span(*row) if row else None
