"""Audited shares over time, and where they lie in a chart."""

from datetime import UTC, datetime, timedelta

from deploy.page.charts import HEIGHT, audited_bands, stacked_chart
from stream_processors.aggregates.aggregates import SeriesPoint
from stream_processors.aggregates.audit_rows import AuditRow
from stream_processors.aggregates.audited_spans import audited_spans

START = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERIES = [
    SeriesPoint(start=START + number * HOUR, by_label={"fear": 40, "joy": 60})
    for number in range(48)
]


def audits(hour: int, fear: int, joy: int) -> list[AuditRow]:
    people = ["fear"] * fear + ["joy"] * joy
    return [
        AuditRow(person, person, START + hour * HOUR, ("cafe",), "en", 1, 0) for person in people
    ]


def test_each_span_has_the_shares_of_its_own_audits() -> None:
    found = audited_spans(SERIES, HOUR, audits(3, 40, 60) + audits(30, 80, 20), {"cafe": 4800})
    assert [(span.start, span.end, span.audits) for span in found] == [
        (START, START + 24 * HOUR, 100),
        (START + 24 * HOUR, START + 48 * HOUR, 100),
    ]
    for span in found:
        for share in span.labels:
            assert share.audited is not None
            assert share.audited.low <= share.audited.share <= share.audited.high


def test_a_span_with_too_few_audits_says_nothing_and_none_is_made_of_few() -> None:
    assert audited_spans(SERIES, HOUR, audits(3, 30, 65), {}) == []
    (found,) = audited_spans(SERIES, HOUR, audits(3, 80, 101) + audits(30, 10, 9), {})
    assert (found.start, found.audits) == (START, 181)
    assert audited_spans([], HOUR, [], {}) == []


def test_steps_of_weeks_are_audited_too() -> None:
    week = timedelta(days=7)
    series = [
        SeriesPoint(start=START + number * week, by_label={"fear": 40, "joy": 60})
        for number in range(4)
    ]
    (found,) = audited_spans(series, week, audits(24 * 3, 40, 60), {})
    for share in found.labels:
        assert share.audited is not None
        # What 100 audits of 400 tweets tell, and not what they would tell of 100.
        assert share.audited.high - share.audited.low > 0.01


def test_a_band_lies_at_the_edge_of_its_label() -> None:
    spans = audited_spans(SERIES, HOUR, audits(3, 40, 60), {})
    chart = stacked_chart(SERIES, HOUR, ["fear", "joy"], as_shares=True)
    bands = audited_bands(chart, spans, ["fear", "joy"])
    assert [band.label for band in bands] == ["fear", "joy"]
    for band in bands:
        assert band.y <= 0.6 * HEIGHT <= band.y + band.height
        assert (band.x, band.width) == (0, 1000)
