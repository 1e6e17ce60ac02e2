"""Reading what a report shows: two spans of a run, measured alike."""

from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.data_quality.measure import measure
from retrain.data_quality.schema import DataQuality
from retrain.drift.alarms.stored_alarms import StoredAlarm, alarms_between
from retrain.drift.why.compare_spans import Span, Why, compare_spans
from retrain.span_report.audits import AuditedSpan, read_audits

MOST_ALARMS: Final = 100


class SpanReport(Struct, frozen=True, kw_only=True):
    """Everything of a report: `before` is the reference, `after` the span that it is about."""

    before: DataQuality
    after: DataQuality
    audits_before: AuditedSpan
    audits_after: AuditedSpan
    why: Why
    alarms: tuple[StoredAlarm, ...]


def read_report(cur: cursor, run: str, *, before: Span, after: Span) -> SpanReport:
    """Read both spans in the caller's transaction; `Failure` where one of them has no tweets."""
    return SpanReport(
        before=measure(cur, run, start=before.start, end=before.end),
        after=measure(cur, run, start=after.start, end=after.end),
        audits_before=read_audits(cur, run, before),
        audits_after=read_audits(cur, run, after),
        why=compare_spans(cur, run, "", before=before, after=after),
        alarms=tuple(alarms_between(cur, run, after.start, after.end, MOST_ALARMS)),
    )
