"""A span against a reference as one HTML page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from retrain.data_quality.schema import DataQuality
from retrain.drift.alarms.sentences import how_it_ended, moment_text, sentence
from retrain.drift.moved_rules import MovedRule
from retrain.drift.what_changed import FeatureKind
from retrain.html_page import html_page, html_table
from retrain.span_report.audits import Interval
from retrain.span_report.charts import bars_chart, lines_chart
from retrain.span_report.read_report import SpanReport
from schemas.counted_nouns import number_of
from schemas.escape_for_terminal import JOINERS, printable

_LEAST_AUDITS: Final = 20
_MOST_LABELS: Final = 10
_MOST_CHART_LABELS: Final = 5
_MOST_LANGUAGES: Final = 10
_NAMES: Final = {FeatureKind.HASHTAG: "#{}", FeatureKind.MENTION: "@{}"}


def page(report: SpanReport) -> str:
    """Return the page. It holds names, figures and ids of tweets, and no text of a tweet."""
    before, after = report.before, report.after
    about = f"{_name(after.run)}, {_name(report.rule)}" if report.rule else _name(after.run)
    title = f"{about}: {_moment(after.start)} to {_moment(after.end)} UTC"
    spans = _spans(report)
    return html_page(
        title,
        [
            f"<h1>{escape(title)}</h1>",
            f"<p>Held against {_moment(before.start)} to {_moment(before.end)} UTC.</p>"
            if before
            else "<p>Nothing was posted in the time before: there is no reference.</p>",
            f"<p><strong>{escape(_in_short(report))}</strong></p>",
            "<h2>Alarms</h2>",
            _alarms(report),
            "<h2>Predictions</h2>",
            _predictions(report),
            *(_labels_chart(quality, name) for name, quality in spans),
            "<h2>Audits</h2>",
            _audits(report),
            "<h2>Confidence</h2>",
            _confidence(spans),
            "<h2>What changed</h2>",
            _changed(report),
            "<h2>Data</h2>",
            _data(spans),
            _languages(spans),
            "<h2>Method and limits</h2>",
            _method(report),
        ],
    )


def _spans(report: SpanReport) -> list[tuple[str, DataQuality]]:
    named = [("reference", report.before), ("this span", report.after)]
    return [(name, quality) for name, quality in named if quality is not None]


def _in_short(report: SpanReport) -> str:
    after = report.after
    shares = ", ".join(
        f"{after.by_label.get(label, 0) / after.tweets:.0%} {_name(label)}"
        for label in _labels(report)[:_MOST_LABELS]
    )
    alarms = len(report.alarms)
    raised = f"Alarms raised: {alarms}." if alarms else "No alarm was raised."
    return f"Of {number_of(after.tweets, 'tweet')} the model calls {shares}. {raised}"


def _alarms(report: SpanReport) -> str:
    silent = ""
    if report.not_judged is not None:
        silent = f"<p>{escape(_name(report.not_judged.sentence))}.</p>"
    if not report.alarms:
        return f"<p>No alarm was raised in this span.</p>{silent}"
    rows = [
        [_name(sentence(one)), moment_text(one.since), how_it_ended(one)] for one in report.alarms
    ]
    return html_table(["alarm", "since", "state"], rows) + silent


def _data(spans: Sequence[tuple[str, DataQuality]]) -> str:
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
    rows = zip(names, *(cells(quality) for _, quality in spans), strict=True)
    after = spans[-1][1]
    letters = ", ".join(f"{one.reason} {one.letters:,}" for one in after.dead_letters)
    return (
        html_table(["", *(name for name, _ in spans)], rows)
        + f"<p>Dead letters of the whole run: {escape(letters) or 'none'}.</p>"
    )


def _languages(spans: Sequence[tuple[str, DataQuality]]) -> str:
    after = spans[-1][1]
    tweets = [
        ({one.language: one.tweets for one in quality.languages.tweets}, quality.tweets)
        for _, quality in spans
    ]
    rows = [
        [
            _name(one.language) or "unknown",
            *(_part(by_language.get(one.language, 0), of) for by_language, of in tweets),
        ]
        for one in after.languages.tweets[:_MOST_LANGUAGES]
    ]
    return html_table(["language", *(name for name, _ in spans)], rows)


def _predictions(report: SpanReport) -> str:
    before, after = report.before, report.after
    rows = []
    for label in _labels(report)[:_MOST_LABELS]:
        now = after.by_label.get(label, 0) / after.tweets
        row = [_name(label), f"{now:.1%}"]
        if before is not None:
            was = before.by_label.get(label, 0) / before.tweets
            row = [_name(label), f"{was:.1%}", f"{now:.1%}", f"{100 * (now - was):+.1f} points"]
        rows.append(row)
    spans = ["reference", "this span", "move"] if before is not None else ["this span"]
    return html_table(["label by the model", *spans], rows)


def _labels_chart(quality: DataQuality, name: str) -> str:
    points = quality.series.points
    most = sorted(quality.by_label, key=lambda label: -quality.by_label[label])
    series = [
        (_name(label), [point.by_label.get(label, 0) / point.tweets for point in points])
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


def _confidence(spans: Sequence[tuple[str, DataQuality]]) -> str:
    groups = [
        (name, [count / quality.tweets for count in quality.confidence]) for name, quality in spans
    ]
    rows = [["mean confidence", *(f"{quality.mean_confidence:.3f}" for _, quality in spans)]]
    return html_table(["", *(name for name, _ in spans)], rows) + (
        f"<figure><figcaption>confidence, share of tweets</figcaption>"
        f"{bars_chart(groups, first='0', last='1')}</figure>"
    )


def _audits(report: SpanReport) -> str:
    before, after = report.audits_before, report.audits_after
    if not before.audits and not after.audits:
        return "<p>Neither span was audited: nobody knows how right the labels are.</p>"
    labels = sorted({people for one in (before, after) for _, people in one.counts})
    rows: list[Sequence[str]] = [
        ["audits", f"{before.audits:,}", f"{after.audits:,}"],
        ["accuracy", _interval(before.accuracy()), _interval(after.accuracy())],
        *(
            [f"recall of {_name(one)}", _interval(before.recall(one)), _interval(after.recall(one))]
            for one in labels
        ),
        *(
            [
                f"share of {_name(one)} by people",
                _interval(before.share(one)),
                _interval(after.share(one)),
            ]
            for one in labels
        ),
    ]
    few = after.audits < _LEAST_AUDITS or bool(report.before and before.audits < _LEAST_AUDITS)
    note = f" Fewer than {_LEAST_AUDITS} audits say little." if few else ""
    return (
        html_table(["", "reference", "this span"], rows)
        + f"<p>In brackets 95 % intervals (Wilson) of the audits alone.{note}</p>"
    )


def _method(report: SpanReport) -> str:
    models = html_table(
        ["model", "version", "hash of its bundle", "tweets"],
        [
            [_name(one.name), _name(one.version), one.sha256[:12], f"{one.tweets:,}"]
            for one in report.models
        ],
    )
    said = [
        "A tweet counts once, in the version that was stored when this was written.",
        "It counts at the time of its posting. What was deleted is in none of it.",
        "Labels are the model's. Shares by people come from audits alone.",
        "Audits are drawn by a hash of ids and labelled without sight of the model's answer.",
        "Without audits a share of labels says what the model says, not what people would say.",
        "Labels of tweets in languages that the model does not know are guesses. They count.",
        "What changed is a comparison of words and their like, not a cause.",
        "Retweets count as tweets, unless a figure says otherwise.",
    ]
    return models + "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in said) + "</ul>"


def _changed(report: SpanReport) -> str:
    if report.why is None:
        return "<p>There is no reference to compare with.</p>"
    changed = report.why.changed
    rules = _moved_rules(report.why.rules, changed.label) if report.why.rules else ""
    if not changed.moved:
        return rules + "<p>No word, hashtag, link or the like moved by more than chance.</p>"
    rows = [
        [
            _NAMES.get(one.kind, "{}").format(_name(one.name)) or "unknown",
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
        rules
        + html_table(headings, rows)
        + f"<p><small>{compared:,} tweets were compared. Retweets count apart. What several "
        "features explain does not add up.</small></p>"
    )


def _moved_rules(rules: Sequence[MovedRule], label: str) -> str:
    headings = ["rule", "tweets before", "after", f"{label} before", "after", "moved by"]
    return html_table(
        headings,
        [
            [
                _name(one.rule),
                f"{one.tweets_before:,} ({one.share_before:.1%})",
                f"{one.tweets_after:,} ({one.share_after:.1%})",
                *(
                    "–" if share is None else f"{share:.1%}"
                    for share in (one.label_share_before, one.label_share_after)
                ),
                "–"
                if one.label_share_before is None or one.label_share_after is None
                else f"{100 * (one.label_share_after - one.label_share_before):+.1f} points",
            ]
            for one in rules
        ],
    )


def _labels(report: SpanReport) -> list[str]:
    """Return the labels, the most frequent of both spans first."""
    before = report.before.by_label if report.before else {}
    after = report.after.by_label
    return sorted({*before, *after}, key=lambda label: -before.get(label, 0) - after.get(label, 0))


def _name(name: str) -> str:
    """Return a name with its hidden characters made visible."""
    return printable(name, keep=JOINERS)


def _interval(found: Interval | None) -> str:
    return "–" if found is None else f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def _part(count: int, of: int) -> str:
    return f"{count:,} ({count / of:.1%})" if of else "0"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
