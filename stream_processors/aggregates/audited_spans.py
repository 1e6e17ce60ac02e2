"""Audited shares over time: a window in as many spans as its audits can tell of. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Final

from stream_processors.aggregates.aggregates import Audited, AuditedSpan, SeriesPoint
from stream_processors.aggregates.audit_figures import audit_figures
from stream_processors.aggregates.audit_rows import AuditRow
from stream_processors.aggregates.audited_share import LEAST_AUDITS

_MOST_SPANS: Final = 8
_AUDITS_EACH: Final = 5 * LEAST_AUDITS
"""On average: an interval is then some ± 10 points wide."""


def audited_spans(
    series: Sequence[SeriesPoint],
    step: timedelta,
    audits: Sequence[AuditRow],
    tweets_by_rule: Mapping[str, int],
) -> list[AuditedSpan]:
    """Return spans of equal length, of whole steps, with the shares that people would count.

    A span with too few audits is left out. `tweets_by_rule` is of the whole window (empty where the
    tweets are those of one rule): each span is taken to have its part of every rule.
    """
    decided = sum(audit.person is not None for audit in audits)
    spans = min(_MOST_SPANS, decided // _AUDITS_EACH, len(series))
    if not spans:
        return []
    whole = sum(sum(point.by_label.values()) for point in series)
    length = -(-len(series) // spans)
    found = []
    for first in range(0, len(series), length):
        points = series[first : first + length]
        start, end = points[0].start, points[-1].start + step
        by_label: Counter[str] = Counter()
        by_day: Counter[date] = Counter()
        for point in points:
            by_label.update(point.by_label)
            # A step of several days holds the audits of each of them.
            days = max(1, step.days)
            for day in range(days):
                of_day = (point.start.astimezone(UTC) + timedelta(days=day)).date()
                by_day[of_day] += sum(point.by_label.values()) // days
        part = by_label.total() / whole if whole else 0.0
        of_rules = {rule: round(tweets * part) for rule, tweets in tweets_by_rule.items()}
        inside = [audit for audit in audits if start <= audit.posted_at < end]
        figures = audit_figures(inside, by_label, by_day, of_rules)
        if figures.audited is Audited.YES:
            labels = [share for share in figures.labels if share.audited is not None]
            found.append(AuditedSpan(start=start, end=end, audits=figures.audits, labels=labels))
    return found
