"""Two choices of tweets side by side: two spans, two rules, two runs; and models of a run."""

from typing import Final, NamedTuple

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.charts import Piece, bar_of
from deploy.page.label_looks import in_order
from deploy.page.page_sources import PageSources
from deploy.page.rendering import Pages
from deploy.page.view_address import ViewAddress, view_of
from deploy.web.access.browser import PAGE
from stream_processors.aggregates.aggregates import Aggregates
from stream_processors.aggregates.time_windows import coarsest_exact, floor
from stream_processors.queries.model_shares import ModelShares, model_shares

_SECOND: Final = "b_"
_FIELDS: Final = ("run", "window", "from", "to", "rule", "language")
_MOST_HASHTAGS: Final = 12


class Side(NamedTuple):
    """One of the two, with its figures."""

    view: ViewAddress
    figures: Aggregates
    pieces: list[Piece]


class ComparedShare(NamedTuple):
    """A label or a hashtag: tweets of each side, and their shares of it."""

    name: str
    first: int
    second: int
    first_share: float
    second_share: float

    @property
    def difference(self) -> float:
        """How much larger the second share is."""
        return self.second_share - self.first_share


def compare_router(pages: Pages, sources: PageSources) -> APIRouter:
    """Return the route. It waits for servers, so it runs in a thread."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PAGE}/compare")
    def compare(request: Request) -> Response:
        asked = view_of(request.query_params)
        first = asked.with_default_window(sources.run_of(asked))
        second = _second(first, request.query_params)
        one, other = sources.figures(first), sources.figures(second)
        labels = in_order([each.label for figures in (one, other) for each in figures.labels])
        return pages.answer(
            request,
            "compare.html",
            active="compare",
            view=first,
            runs=sources.runs(),
            rules=[rule.name for rule in sources.whole(first.run or "").rules[:200]],
            sides=[_side(first, one, labels), _side(second, other, labels)],
            labels=labels,
            shares=_labels(one, other, labels),
            hashtags=_hashtags(one, other),
            models=_models(sources, first, one),
            bar_of=lambda by_label: bar_of(by_label, labels),
        )

    return router


def _second(first: ViewAddress, parameters: QueryParams) -> ViewAddress:
    """Return what stands beside it: what the fields of the second side say, else the same."""
    given = [
        (name, value)
        for name in _FIELDS
        for value in parameters.getlist(f"{_SECOND}{name}")
        if value
    ]
    if not given:
        return first
    return view_of(QueryParams(given)).with_default_window(
        dict(given).get("run") or first.run or ""
    )


def _side(view: ViewAddress, figures: Aggregates, labels: list[str]) -> Side:
    by_label = {each.label: each.tweets for each in figures.labels}
    return Side(view, figures, bar_of(by_label, labels))


def _labels(one: Aggregates, other: Aggregates, labels: list[str]) -> list[ComparedShare]:
    firsts, seconds = (
        {each.label: each.tweets for each in figures.labels} for figures in (one, other)
    )
    return [_compared(label, firsts, seconds, one.tweets, other.tweets) for label in labels]


def _hashtags(one: Aggregates, other: Aggregates) -> list[ComparedShare]:
    """Return the hashtags whose shares differ most; of those that are among the 20 of a side."""
    firsts, seconds = (
        {each.name: each.tweets for each in figures.hashtags} for figures in (one, other)
    )
    # One that is not among the 20 of a side has a share there that nobody knows.
    both = [name for name in firsts if name in seconds]
    compared = [_compared(name, firsts, seconds, one.tweets, other.tweets) for name in both]
    return sorted(compared, key=lambda each: -abs(each.difference))[:_MOST_HASHTAGS]


def _compared(
    name: str, firsts: dict[str, int], seconds: dict[str, int], one: int, other: int
) -> ComparedShare:
    first, second = firsts.get(name, 0), seconds.get(name, 0)
    return ComparedShare(name, first, second, first / max(one, 1), second / max(other, 1))


def _models(sources: PageSources, view: ViewAddress, figures: Aggregates) -> list[ModelShares]:
    start, end = figures.start, figures.end
    if start is None or end is None or len(view.rules) > 1:
        return []
    granularity = coarsest_exact(sources.cheap_window(view))
    rule = view.rules[0] if view.rules else ""

    def ask() -> list[ModelShares]:
        with sources.lend() as connection:
            return model_shares(
                connection, figures.run, rule, floor(start, granularity), end, granularity
            )

    return sources.shared.get(("models", view), ask)
