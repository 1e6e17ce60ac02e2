"""What changed in a span: words and their shares before and after, with tweets that show it."""

from collections.abc import Mapping, Sequence
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
from retrain.drift.what_changed import FeatureKind, LabelMove, MovedFeature
from retrain.drift.why.compare_spans import (
    MOST_TWEETS,
    Span,
    Why,
    compare_spans,
    span_before,
)
from schemas.failures import Failure
from schemas.sampled_tweets import counted_by_label
from stream_processors.queries.http.parameters import moment_of
from stream_processors.queries.tweet_texts import ExampleTweet, texts_of

_MOST_OF_A_KIND: Final = 8
_EXAMPLE_CHARS: Final = 280
_RUN_UP: Final = 8
_AT_FIRST: Final = 1_000
"""Tweets of each span that are compared: answered at once. Somebody who asks for it waits some
seconds for the comparison of `MOST_TWEETS`."""

_FORM: Final = "%Y-%m-%dT%H:%M"


class MovedGroup(NamedTuple):
    """The features of a kind that moved."""

    kind: FeatureKind
    features: list[MovedFeature]


class _Compared(NamedTuple):
    """What was found; `labels` are of all tweets, also where a sample was compared."""

    why: Why
    labels: Sequence[LabelMove]


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
        compared: _Compared | None = None
        before: Span | None = None
        examples: dict[str, ExampleTweet] = {}
        fault = ""
        is_close = request.query_params.get("closer") == "on"
        most_tweets = MOST_TWEETS if is_close else _AT_FIRST
        if start is None or end is None:
            fault = pages.strings.say("why.no_span")
        else:
            span = Span(start, end)
            first = moment_of(request.query_params.get("against_from") or None)
            last = moment_of(request.query_params.get("against_to") or None)
            try:
                before = Span(first, last) if first and last else _run_up(span)
                compared, examples = _compare(sources, view, before, span, most_tweets)
            except Failure as failure:
                fault = str(failure)
        found = compared.why if compared else None
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
            moves=_in_order(compared.labels) if compared else [],
            groups=_groups(found.changed.moved) if found else [],
            examples=_one_each(found.changed.moved, examples) if found else {},
            fault=fault,
            against_before=_against(before) if before else [],
            against=_choices(view, start, end, before),
            closer=_closer(view, before, found, most_tweets),
            most_tweets=MOST_TWEETS,
        )

    return router


def _run_up(span: Span) -> Span:
    """Return the time up to a span: longer, so that a word of a small span can stand out."""
    try:
        return Span(span.start - _RUN_UP * (span.end - span.start), span.start)
    except OverflowError:
        return span_before(span)


def _compare(
    sources: PageSources, view: ViewAddress, before: Span, after: Span, most_tweets: int
) -> tuple[_Compared, dict[str, ExampleTweet]]:
    run = view.run or ""
    rule = view.rules[0] if view.rules else ""
    label = view.labels[0] if view.labels else None

    def ask() -> _Compared:
        with sources.lend() as connection, connection, connection.cursor() as cursor:
            why = compare_spans(
                cursor,
                run,
                rule,
                before=before,
                after=after,
                label=label,
                most=_MOST_OF_A_KIND,
                most_tweets=most_tweets,
            )
            if not _is_sampled(why):
                return _Compared(why, why.changed.labels)
            # All tweets have labels in the rollups; only words need the tweets themselves.
            counts = [
                counted_by_label(cursor, run, rule, span.start, span.end)
                for span in (before, after)
            ]
            return _Compared(why, _moves(*counts))

    found = sources.shared.get(("why", run, rule, label, before, after, most_tweets), ask)
    moved = found.why.changed.moved
    wanted = [example for feature in moved for example in feature.examples]
    # Not kept with the rest: a tweet may be deleted meanwhile.
    with sources.lend() as connection:
        return found, texts_of(connection, run, wanted, most_chars=_EXAMPLE_CHARS)


def _one_each(
    moved: Sequence[MovedFeature], stored: Mapping[str, ExampleTweet]
) -> dict[tuple[FeatureKind, str], ExampleTweet]:
    """Return an example of each feature that is still stored, and no text twice where there is
    another."""
    shown: set[str] = set()
    found = {}
    for feature in moved:
        there = [stored[example] for example in feature.examples if example in stored]
        example = next((each for each in there if each.text not in shown), next(iter(there), None))
        if example is not None:
            shown.add(example.text)
            found[feature.kind, feature.name] = example
    return found


def _is_sampled(why: Why) -> bool:
    return any(each.compared < each.tweets for each in (why.before, why.after))


def _moves(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[LabelMove, ...]:
    return tuple(
        LabelMove(
            label=label,
            share_before=before.get(label, 0) / max(sum(before.values()), 1),
            share_after=after.get(label, 0) / max(sum(after.values()), 1),
        )
        for label in sorted({*before, *after})
    )


def _in_order(found: Sequence[LabelMove]) -> list[tuple[str, float, float]]:
    moves = {move.label: move for move in found}
    return [
        (label, moves[label].share_before, moves[label].share_after) for label in in_order(moves)
    ]


def _groups(moved: Sequence[MovedFeature]) -> list[MovedGroup]:
    groups = [
        MovedGroup(kind, [feature for feature in moved if feature.kind is kind])
        for kind in FeatureKind
    ]
    return [group for group in groups if group.features]


def _against(before: Span) -> list[tuple[str, str]]:
    return [("against_from", f"{before.start:{_FORM}}"), ("against_to", f"{before.end:{_FORM}}")]


def _closer(
    view: ViewAddress, before: Span | None, found: Why | None, most_tweets: int
) -> str | None:
    """Return the address of a comparison of more tweets, where there are more."""
    if before is None or found is None or most_tweets >= MOST_TWEETS:
        return None
    if not _is_sampled(found):
        return None
    return view.at("/why", [*_against(before), ("closer", "on")])


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
        address = view.at("/why", _against(other))
        if address not in {each.address for each in found}:
            found.append(Against(name, address, other == before))
    return found
