"""What changed when an alarm was raised."""

from datetime import timedelta
from typing import Final

from psycopg2.extensions import cursor

from retrain.drift.alarms.stored_alarms import StoredAlarm
from retrain.drift.why.compare_spans import Span, Why, compare_spans
from schemas.alarm_events import Signal

REFERENCE_LENGTH: Final = timedelta(days=7)
"""Whole weeks have every hour of the day and day of the week."""


def why_alarm(cur: cursor, alarm: StoredAlarm) -> Why:
    """Return what changed from the week before an alarm's stretch to the stretch itself.

    The stretch lasts from `since` to the end of the window that decided. Where the alarm is of one
    label, the move of that one is explained. Raises `Failure` where nothing of a span is stored.
    """
    return compare_spans(
        cur,
        alarm.run,
        alarm.rule,
        before=Span(alarm.since - REFERENCE_LENGTH, alarm.since),
        after=Span(alarm.since, alarm.window_end),
        label=alarm.subject if alarm.signal == Signal.LABEL_SHARE else None,
    )
