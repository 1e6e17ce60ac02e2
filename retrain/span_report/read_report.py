"""Reading what a report shows: two spans of a run, measured alike."""

from datetime import timedelta
from typing import Any, Final

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.data_quality.measure import measure
from retrain.data_quality.schema import DataQuality
from retrain.drift.alarms.stored_alarms import StoredAlarm, alarms_between
from retrain.drift.not_judged import NotJudged, windows_not_judged
from retrain.drift.why.compare_spans import Span, Why, compare_spans
from retrain.span_report.audits import AuditedSpan, read_audits
from schemas.failures import NotThere

MOST_ALARMS: Final = 100
_IN_SPAN: Final = """
    t.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s
    AND t.posted_at >= %(start)s AND t.posted_at < %(end)s
    AND (%(rule)s = '' OR %(rule)s = ANY(t.rules))
"""


class ReportedModel(Struct, frozen=True, kw_only=True):
    """A model and how many tweets of the span have its label."""

    name: str
    version: str
    sha256: str
    tweets: int


class SpanReport(Struct, frozen=True, kw_only=True):
    """Everything of a report: `before` is the reference, `after` the span that it is about.

    `rule` is empty where all tweets are meant. Where nothing was posted in the reference, what is
    of it is None. So is `not_judged` where all windows of the span had tweets enough for an alarm.
    """

    rule: str
    before: DataQuality | None
    after: DataQuality
    audits_before: AuditedSpan
    audits_after: AuditedSpan
    why: Why | None
    alarms: tuple[StoredAlarm, ...]
    models: tuple[ReportedModel, ...]
    not_judged: NotJudged | None = None


def read_report(
    cur: cursor, run: str, *, before: Span | None, after: Span, rule: str = ""
) -> SpanReport:
    """Read both spans in the caller's transaction; `Failure` where `after` has no tweets."""
    if before is not None and not _has_tweets(cur, run, before, rule):
        before = None
    quality_before = why = None
    audits_before = AuditedSpan({})
    if before is not None:
        quality_before = measure(cur, run, start=before.start, end=before.end, rule=rule)
        audits_before = read_audits(cur, run, before, rule)
    quality_after = measure(cur, run, start=after.start, end=after.end, rule=rule)
    if before is not None:
        why = compare_spans(cur, run, rule, before=before, after=after)
    alarms = alarms_between(cur, run, after.start, after.end, MOST_ALARMS)
    return SpanReport(
        rule=rule,
        before=quality_before,
        after=quality_after,
        audits_before=audits_before,
        audits_after=read_audits(cur, run, after, rule),
        why=why,
        alarms=tuple(each for each in alarms if not rule or each.rule in ("", rule)),
        models=_models(cur, run, after, rule),
        not_judged=windows_not_judged(cur, run, rule, start=after.start, end=after.end),
    )


def last_span(cur: cursor, run: str, length: timedelta) -> Span:
    """Return the last stretch of a run, up to its newest tweet; `NotThere` where it has none."""
    cur.execute(
        "SELECT max(bucket_start) FROM rollups"
        " WHERE run = %s AND granularity = 'minute' AND rule = ''",
        (run,),
    )
    ((newest,),) = cur.fetchall()
    if newest is None:
        raise NotThere(f"run {run!r} has no tweets: `murmur runs list` shows the runs")
    end = newest + timedelta(minutes=1)
    return Span(end - length, end)


def _has_tweets(cur: cursor, run: str, span: Span, rule: str) -> bool:
    cur.execute(
        f"SELECT EXISTS (SELECT FROM tweets AS t WHERE {_IN_SPAN})",  # noqa: S608  constants
        _values(run, span, rule),
    )
    return bool(cur.fetchall()[0][0])


def _models(cur: cursor, run: str, span: Span, rule: str) -> tuple[ReportedModel, ...]:
    cur.execute(
        "SELECT m.name, m.version, m.sha256, count(*) FROM tweets AS t"  # noqa: S608  constants
        " JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day"
        " AND s.counts JOIN models AS m USING (model_id)"
        f" WHERE {_IN_SPAN} GROUP BY 1, 2, 3 ORDER BY 4 DESC, 3",
        _values(run, span, rule),
    )
    return tuple(
        ReportedModel(name=name, version=version, sha256=sha256, tweets=tweets)
        for name, version, sha256, tweets in cur
    )


def _values(run: str, span: Span, rule: str) -> dict[str, Any]:
    return {
        "run": run,
        "rule": rule,
        "start": span.start,
        "end": span.end,
        "first_day": span.start.date(),
        "last_day": span.end.date(),
    }
