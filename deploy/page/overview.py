"""The first page: what people say, over time, by rule, by hashtag."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.charts import Piece, audited_bands, bar_of, stacked_chart, volume_path
from deploy.page.label_looks import in_order
from deploy.page.page_sources import PageSources
from deploy.page.rendering import Pages, page_answer
from deploy.page.view_address import WINDOWS, ViewAddress, view_of
from deploy.web.access.browser import PAGE
from retrain.drift.alarms.sentences import sentence
from schemas.failures import Failure
from schemas.known_runs import UnknownRun
from stream_processors.aggregates.aggregates import Aggregates, AuditFigures, Grouped, LabelShare

_MOST_RULES: Final = 12
_SEEN_CHARS: Final = 16


class LabelTotal(NamedTuple):
    """A label of all tweets of the view."""

    label: str
    tweets: int
    share: float
    mean_confidence: float
    audit: LabelShare | None


class BarRow(NamedTuple):
    """A rule or a hashtag as a bar."""

    name: str
    tweets: int
    pieces: list[Piece]
    by_label: dict[str, int]
    audit: AuditFigures | None


class AlarmMark(NamedTuple):
    """An alarm on the time line."""

    x: float
    at: datetime
    alarm_id: str
    text: str
    start: datetime
    end: datetime
    rule: str
    acknowledged_by: str | None


def overview_router(pages: Pages, sources: PageSources) -> APIRouter:
    """Return the routes. They wait for servers, so each runs in a thread."""
    router = APIRouter(include_in_schema=False)

    @router.get(PAGE)
    def overview(request: Request) -> Response:
        asked = view_of(request.query_params)
        try:
            view = asked.with_default_window(sources.run_of(asked))
            values = _shared_figures(sources, view)
        except UnknownRun as unknown:
            if asked.run is not None:
                raise
            return pages.answer(request, "no_runs.html", reason=str(unknown))
        return pages.answer(request, "overview.html", **values)

    @router.get(f"{PAGE}/figures")
    def figures(request: Request) -> Response:
        """Give the figures alone, or 204 where they are those that were `seen`."""
        asked = view_of(request.query_params)
        view = asked.with_default_window(sources.run_of(asked))
        values = _shared_figures(sources, view)
        if request.query_params.get("seen") == values["seen"]:
            return Response(status_code=204)
        html = sources.shared.get(
            ("figures html", view, values["seen"], request.headers.get("accept-language")),
            lambda: pages.html(request, "figures.html", **values),
        )
        return page_answer(request, html)

    return router


def _shared_figures(sources: PageSources, view: ViewAddress) -> dict[str, Any]:
    """Return what the templates show; `seen` tells these figures from others."""

    def ask() -> dict[str, Any]:
        values = _figures(sources, view)
        return {**values, "seen": _seen(values)}

    return sources.shared.get(("overview", view), ask)


def _figures(sources: PageSources, view: ViewAddress) -> dict[str, Any]:
    figures = sources.figures(view)
    run = figures.run
    labels = in_order(
        [
            *(each.label for each in figures.labels),
            *(label for point in figures.series for label in point.by_label),
        ]
    )
    chart = stacked_chart(
        figures.series,
        timedelta(seconds=figures.series_step_s),
        labels,
        as_shares=view.measure == "shares",
    )
    marks, alarms_fault = [], ""
    if figures.start and figures.end:
        try:
            found = sources.alarms(run, figures.start, figures.end)
        except Failure as failure:
            found, alarms_fault = [], str(failure)
        for alarm in found:
            x = chart.place_of(alarm.window_start)
            if x is not None and (not view.rules or alarm.rule in ("", *view.rules)):
                marks.append(
                    AlarmMark(
                        x,
                        alarm.window_start,
                        alarm.alarm_id,
                        sentence(alarm),
                        alarm.window_start,
                        alarm.window_end,
                        alarm.rule,
                        alarm.acknowledged_by,
                    )
                )
    return {
        "active": "overview",
        "view": view,
        "figures": figures,
        "runs": sources.runs(),
        "windows": WINDOWS,
        "labels": labels,
        "totals": _totals(figures, labels),
        "chart": chart,
        "audited_bands": audited_bands(chart, figures.audited_spans, labels)
        if view.measure == "shares"
        else [],
        "volume": volume_path(chart.buckets),
        "peak": max(chart.buckets, key=lambda bucket: bucket.tweets, default=None),
        "alarms": marks,
        "alarms_fault": alarms_fault,
        "rules": [_bar(rule, labels, rule.audit) for rule in figures.rules[:_MOST_RULES]],
        "more_rules": [_bar(rule, labels, rule.audit) for rule in figures.rules[_MOST_RULES:100]],
        "rules_in_all": len(figures.rules),
        "to_rule": lambda rule: view.at(rules=(rule,)),
        "to_tweets_of_rule": lambda rule: view.at("/tweets", rules=(rule,)),
        "to_hashtag": lambda hashtag: view.at("/tweets", hashtags=(hashtag,)),
        "hashtags": [_bar(hashtag, labels, None) for hashtag in figures.hashtags],
    }


def _totals(figures: Aggregates, labels: list[str]) -> list[LabelTotal]:
    by_name = {each.label: each for each in figures.labels}
    audits = {each.label: each for each in figures.audit.labels}
    return [
        LabelTotal(
            label,
            by_name[label].tweets,
            by_name[label].tweets / figures.tweets,
            by_name[label].mean_confidence,
            audits.get(label),
        )
        for label in labels
        if label in by_name
    ]


def _bar(group: Grouped, labels: list[str], audit: AuditFigures | None) -> BarRow:
    return BarRow(group.name, group.tweets, bar_of(group.by_label, labels), group.by_label, audit)


def _seen(values: dict[str, Any]) -> str:
    """Return what tells these figures from others; when they were read does not, to the minute."""
    figures: Aggregates = values["figures"]
    told = (
        figures.tweets,
        figures.labels,
        figures.series,
        figures.rules,
        figures.hashtags,
        figures.audit,
        figures.audited_spans,
        values["alarms"],
        f"{figures.as_of:%H:%M}",
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:_SEEN_CHARS]
