"""Shares of the live stream's last day, as gauges."""

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from stream_processors.aggregates.aggregates import (
    EVERYTHING,
    Aggregates,
    Audited,
    AuditFigures,
    Interval,
    LabelShare,
)
from stream_processors.aggregates.share_metrics import ShareMetrics


def figures(run: str, window: str, audited: Interval | None) -> Aggregates:
    share = LabelShare(label="negative", counted=0.46, audited=audited, recall=None)
    audit = AuditFigures(
        audited=Audited.YES if audited else Audited.NO,
        audits=0,
        audits_missing=0,
        audits_missing_for_3_points=0,
        audited_days=0,
        days=None,
        labels=[share],
        accuracy=None,
        agreement=None,
    )
    return Aggregates(
        run=run,
        window=window,
        start=None,
        end=None,
        as_of=datetime(2026, 11, 28, tzinfo=UTC),
        tweets=100,
        mean_confidence=None,
        labels=[],
        hashtags=[],
        rules=[],
        models=[],
        series_step_s=60,
        series=[],
        selection=EVERYTHING,
        audit=audit,
    )


def test_the_last_day_of_live_is_shown_and_its_interval_where_it_was_audited() -> None:
    registry = CollectorRegistry()
    metrics = ShareMetrics(registry)

    def shown(figure: str) -> float | None:
        labels = {"label": "negative", "figure": figure}
        return registry.get_sample_value("murmur_aggregates_live_share", labels)

    metrics.show([figures("spring", "1d", None), figures("live", "1h", None)])
    assert shown("counted") is None
    interval = Interval(share=0.32, low=0.25, high=0.4, audits=100)
    metrics.show([figures("live", "1d", interval)])
    assert [shown(name) for name in ("counted", "audited", "low", "high")] == [
        0.46,
        0.32,
        0.25,
        0.4,
    ]
    metrics.show([figures("live", "1d", None)])
    assert [shown(name) for name in ("counted", "audited")] == [0.46, None]
