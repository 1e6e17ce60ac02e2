"""What changed in a span: words and their shares before and after, with tweets that show it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.label_looks import in_order
from deploy.page.page_sources import PageSources
from deploy.page.rendering import Pages
from deploy.page.view_address import WINDOWS, ViewAddress, view_of
from deploy.web.access.browser import PAGE
from retrain.drift.what_changed import FeatureKind, MovedFeature
from retrain.drift.why.compare_spans import Span, Why, compare_spans, span_before
from schemas.failures import Failure
from stream_processors.queries.http.parameters import moment_of
from stream_processors.queries.tweet_texts import ExampleTweet, texts_of

_MOST_OF_A_KIND: Final = 8
_EXAMPLE_CHARS: Final = 280
_RUN_UP: Final = 8
_FORM: Final = "%Y-%m-%dT%H:%M"


class MovedGroup(NamedTuple):
    """The features of a kind that moved."""

    kind: FeatureKind
    features: list[MovedFeature]


class Against(NamedTuple):
    """A span to compare with; `name` is its word in the strings."""

    name: str
    address: str
    is_chosen: bool


def what_changed_router(pages: Pages, sources: PageSources) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PAGE}/why")
    def why(request: Request) -> Response:
        asked = view_of(request.query_params)
        view = asked.with_default_window(sources.run_of(asked))
        start, end = sources.span_of(view)
        found: Why | None = None
        before: Span | None = None
        examples: dict[str, ExampleTweet] = {}
        fault = ""
        if start is None or end is None:
            fault = pages.strings.say("why.no_span")
        else:
            span = Span(start, end)
            first = moment_of(request.query_params.get("against_from") or None)
            last = moment_of(request.query_params.get("against_to") or None)
            try:
                before = Span(first, last) if first and last else _run_up(span)
                found, examples = _compare(sources, view, before, span)
            except Failure as failure:
                fault = str(failure)
        return pages.answer(
            request,
            "why.html",
            active="overview",
            view=view,
            runs=sources.runs(),
            windows=WINDOWS,
            labels=sources.labels_of(view.run or ""),
            start=start,
            end=end,
            before=before,
            found=found,
            moves=_in_order(found) if found else [],
            groups=_groups(found.changed.moved) if found else [],
            examples=examples,
            fault=fault,
            against=_choices(view, start, end, before),
        )

    return router


def _run_up(span: Span) -> Span:
    """Return the time up to a span: longer, so that a word of a small span can stand out."""
    try:
        return Span(span.start - _RUN_UP * (span.end - span.start), span.start)
    except OverflowError:
        return span_before(span)


def _compare(
    sources: PageSources, view: ViewAddress, before: Span, after: Span
) -> tuple[Why, dict[str, ExampleTweet]]:
    run = view.run or ""
    rule = view.rules[0] if view.rules else ""
    label = view.labels[0] if view.labels else None

    def ask() -> Why:
        with sources.lend() as connection, connection, connection.cursor() as cursor:
            return compare_spans(
                cursor,
                run,
                rule,
                before=before,
                after=after,
                label=label,
                most=_MOST_OF_A_KIND,
            )

    found = sources.shared.get(("why", run, rule, label, before, after), ask)
    wanted = [feature.examples[0] for feature in found.changed.moved if feature.examples]
    # Not kept with the rest: a tweet may be deleted meanwhile.
    with sources.lend() as connection:
        return found, texts_of(connection, run, wanted, most_chars=_EXAMPLE_CHARS)


def _in_order(found: Why) -> list[tuple[str, float, float]]:
    moves = {move.label: move for move in found.changed.labels}
    return [
        (label, moves[label].share_before, moves[label].share_after) for label in in_order(moves)
    ]


def _groups(moved: Sequence[MovedFeature]) -> list[MovedGroup]:
    groups = [
        MovedGroup(kind, [feature for feature in moved if feature.kind is kind])
        for kind in FeatureKind
    ]
    return [group for group in groups if group.features]


def _choices(
    view: ViewAddress, start: datetime | None, end: datetime | None, before: Span | None
) -> list[Against]:
    """Return the spans that are usually compared with."""
    if start is None or end is None:
        return []
    span = Span(start, end)
    spans = [("run_up", _run_up(span))]
    for name, back in (
        ("span_before", end - start),
        ("day_before", timedelta(days=1)),
        ("week_before", timedelta(days=7)),
    ):
        with suppress(OverflowError):
            spans.append((name, Span(start - back, end - back)))
    found: list[Against] = []
    for name, other in spans:
        address = view.at(
            "/why",
            [("against_from", f"{other.start:{_FORM}}"), ("against_to", f"{other.end:{_FORM}}")],
        )
        if address not in {each.address for each in found}:
            found.append(Against(name, address, other == before))
    return found
