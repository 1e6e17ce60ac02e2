"""A span against a reference as one HTML page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from retrain.data_quality.schema import DataQuality
from retrain.drift.alarms.sentences import how_it_ended, moment_text, sentence
from retrain.drift.what_changed import FeatureKind
from retrain.html_page import html_page, html_table
from retrain.span_report.audits import AuditedSpan, Interval
from retrain.span_report.charts import bars_chart, lines_chart
from retrain.span_report.read_report import SpanReport

_LEAST_AUDITS: Final = 20
_MOST_LABELS: Final = 10
_MOST_CHART_LABELS: Final = 5
_MOST_LANGUAGES: Final = 10
_NAMES: Final = {FeatureKind.HASHTAG: "#{}", FeatureKind.MENTION: "@{}"}


def page(report: SpanReport) -> str:
    """Return the page. It holds names, figures and ids of tweets, and no text of a tweet."""
    before, after = report.before, report.after
    title = f"{after.run}: {_moment(after.start)} to {_moment(after.end)} UTC"
    return html_page(
        title,
        [
            f"<h1>{escape(title)}</h1>",
            f"<p>Held against {_moment(before.start)} to {_moment(before.end)} UTC.</p>",
            "<h2>Alarms</h2>",
            _alarms(report),
            "<h2>Data</h2>",
            _data(before, after),
            _languages(before, after),
            "<h2>Predictions</h2>",
            _predictions(report),
            _labels_chart(before, "reference"),
            _labels_chart(after, "this span"),
            "<h2>Confidence</h2>",
            _confidence(before, after),
            "<h2>Audits</h2>",
            _audits(report.audits_before, report.audits_after),
            "<h2>What changed</h2>",
            _changed(report),
        ],
    )


def _alarms(report: SpanReport) -> str:
    if not report.alarms:
        return "<p>No alarm was raised in this span.</p>"
    rows = [[sentence(one), moment_text(one.since), how_it_ended(one)] for one in report.alarms]
    return html_table(["alarm", "since", "state"], rows)


def _data(before: DataQuality, after: DataQuality) -> str:
    def cells(quality: DataQuality) -> list[str]:
        own = quality.tweets - quality.retweets
        hours = (quality.end - quality.start).total_seconds() / 3600
        return [
            f"{quality.tweets:,}",
            f"{quality.tweets / hours:,.1f}",
            _part(quality.retweets, quality.tweets),
            _part(quality.duplicates.repeats, own),
            _part(quality.empty.no_text + quality.empty.only_links_and_mentions, own),
            _part(quality.languages.outside, quality.tweets),
            _part(quality.languages.not_told, quality.tweets),
        ]

    names = [
        "scored tweets",
        "tweets an hour",
        "retweets",
        "repeated texts",
        "texts without words",
        "languages outside the model's",
        "languages not told",
    ]
    rows = zip(names, cells(before), cells(after), strict=True)
    letters = ", ".join(f"{one.reason} {one.letters:,}" for one in after.dead_letters)
    return (
        html_table(["", "reference", "this span"], rows)
        + f"<p>Dead letters of the whole run: {escape(letters) or 'none'}.</p>"
    )


def _languages(before: DataQuality, after: DataQuality) -> str:
    was = {one.language: one.tweets for one in before.languages.tweets}
    rows = [
        [
            one.language or "unknown",
            _part(was.get(one.language, 0), before.tweets),
            _part(one.tweets, after.tweets),
        ]
        for one in after.languages.tweets[:_MOST_LANGUAGES]
    ]
    return html_table(["language", "reference", "this span"], rows)


def _predictions(report: SpanReport) -> str:
    before, after = report.before, report.after
    rows = []
    for label in _labels(report)[:_MOST_LABELS]:
        was = before.by_label.get(label, 0) / before.tweets
        now = after.by_label.get(label, 0) / after.tweets
        rows.append([label, f"{was:.1%}", f"{now:.1%}", f"{100 * (now - was):+.1f} points"])
    return html_table(["label by the model", "reference", "this span", "move"], rows)


def _labels_chart(quality: DataQuality, name: str) -> str:
    points = quality.series.points
    most = sorted(quality.by_label, key=lambda label: -quality.by_label[label])
    series = [
        (label, [point.by_label.get(label, 0) / point.tweets for point in points])
        for label in most[:_MOST_CHART_LABELS]
    ]
    series.append(("mean confidence", [point.mean_confidence for point in points]))
    first, last = points[0].start, points[-1].start
    length = (last - first).total_seconds() or 1.0
    places = [(point.start - first).total_seconds() / length for point in points]
    chart = lines_chart(places, series, first=_moment(first), last=_moment(last))
    return (
        f"<figure><figcaption>{escape(name)}, by {escape(quality.series.step)}</figcaption>"
        f"{chart}</figure>"
    )


def _confidence(before: DataQuality, after: DataQuality) -> str:
    groups = [
        (name, [count / quality.tweets for count in quality.confidence])
        for name, quality in (("reference", before), ("this span", after))
    ]
    rows = [["mean confidence", f"{before.mean_confidence:.3f}", f"{after.mean_confidence:.3f}"]]
    return html_table(["", "reference", "this span"], rows) + (
        f"<figure><figcaption>confidence, share of tweets</figcaption>"
        f"{bars_chart(groups, first='0', last='1')}</figure>"
    )


def _audits(before: AuditedSpan, after: AuditedSpan) -> str:
    if not before.audits and not after.audits:
        return "<p>Neither span was audited: nobody knows how right the labels are.</p>"
    labels = sorted({people for one in (before, after) for _, people in one.counts})
    rows: list[Sequence[str]] = [
        ["audits", f"{before.audits:,}", f"{after.audits:,}"],
        ["accuracy", _interval(before.accuracy()), _interval(after.accuracy())],
        *(
            [f"recall of {one}", _interval(before.recall(one)), _interval(after.recall(one))]
            for one in labels
        ),
        *(
            [f"share of {one} by people", _interval(before.share(one)), _interval(after.share(one))]
            for one in labels
        ),
    ]
    few = min(before.audits, after.audits) < _LEAST_AUDITS
    note = f" Fewer than {_LEAST_AUDITS} audits say little." if few else ""
    return (
        html_table(["", "reference", "this span"], rows)
        + f"<p>In brackets 95 % intervals (Wilson) of the audits alone.{note}</p>"
    )


def _changed(report: SpanReport) -> str:
    changed = report.why.changed
    if not changed.moved:
        return "<p>No word, hashtag, link or the like moved by more than chance.</p>"
    rows = [
        [
            _NAMES.get(one.kind, "{}").format(one.name) or "unknown",
            one.kind.value,
            f"{one.share_before:.1%}",
            f"{one.share_after:.1%}",
            f"{one.z:+.1f}",
            f"{100 * one.explained:+.1f} points",
            " ".join(one.examples),
        ]
        for one in changed.moved
    ]
    headings = ["what", "kind", "before", "after", "z", f"explains of {changed.label}", "examples"]
    compared = report.why.before.compared + report.why.after.compared
    return (
        html_table(headings, rows)
        + f"<p><small>{compared:,} tweets were compared. Retweets count apart. What several "
        "features explain does not add up.</small></p>"
    )


def _labels(report: SpanReport) -> list[str]:
    """Return the labels, the most frequent of both spans first."""
    before, after = report.before.by_label, report.after.by_label
    return sorted({*before, *after}, key=lambda label: -before.get(label, 0) - after.get(label, 0))


def _interval(found: Interval | None) -> str:
    return "–" if found is None else f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def _part(count: int, of: int) -> str:
    return f"{count:,} ({count / of:.1%})" if of else "0"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
