"""Reports: the file of `murmur report`, of what a view shows."""

import re
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.page_sources import PageSources, window_of
from deploy.page.rendering import HEADERS, Pages
from deploy.page.view_address import WINDOWS, ViewAddress, view_of
from deploy.web.access.browser import PAGE
from model_server.http.problems import Refused
from retrain.drift.why.compare_spans import Span, span_before
from retrain.span_report.page import page as report_page
from retrain.span_report.read_report import read_report
from schemas.failures import Failure, NotThere
from schemas.known_runs import UnknownRun

_NOT_OF_A_NAME: Final = re.compile(r"[^A-Za-z0-9]+")


def reports_router(pages: Pages, sources: PageSources) -> APIRouter:
    """Return the routes. They wait for PostgreSQL, so each runs in a thread."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PAGE}/report")
    def choose(request: Request) -> Response:
        asked = view_of(request.query_params)
        try:
            view = asked.with_default_window(sources.run_of(asked))
            span = _span_of(sources, view)
        except UnknownRun as unknown:
            return pages.answer(request, "no_runs.html", active="report", reason=str(unknown))
        except NotThere:
            span = None
        return pages.answer(
            request,
            "report.html",
            active="report",
            view=view,
            runs=sources.runs(),
            windows=WINDOWS,
            span=span,
            rules=sources.figures(view.changed(rules=())).rules if span else [],
        )

    @router.get(f"{PAGE}/report/file")
    def file(request: Request) -> Response:
        asked = view_of(request.query_params)
        view = asked.with_default_window(sources.run_of(asked))
        after = _span_of(sources, view)
        rule = _one_rule(view)
        try:
            before: Span | None = span_before(after)
        except Failure:
            before = None
        with sources.lend() as connection, connection, connection.cursor() as cur:
            found = read_report(cur, view.run or "", before=before, after=after, rule=rule)
        about = [view.run or "", rule, f"{after.start:%Y-%m-%d}", f"{after.end:%Y-%m-%d}"]
        name = _NOT_OF_A_NAME.sub("-", "-".join(part for part in about if part)).strip("-")
        return Response(
            report_page(found),
            media_type="text/html; charset=utf-8",
            headers={
                **HEADERS,
                "Content-Disposition": f'attachment; filename="murmur-{name[:100]}.html"',
            },
        )

    return router


def _span_of(sources: PageSources, view: ViewAddress) -> Span:
    """Return from when to when a view is; `NotThere` where it has no end and no tweets."""
    window = window_of(view)
    if view.is_a_span and window.start and window.end:
        return Span(window.start, window.end)
    figures = sources.figures(view.changed(rules=()))
    if not (figures.tweets and figures.start and figures.end):
        raise NotThere("nothing was posted in this span: choose another one")
    return Span(figures.start, figures.end)


def _one_rule(view: ViewAddress) -> str:
    if len(view.rules) > 1 or view.labels or view.languages or view.hashtags:
        raise Refused(
            422, "invalid", "A report is of a run or a rule.", "Leave the other filters out."
        )
    return view.rules[0] if view.rules else ""
