"""`GET /totals`, `/series`, `/hashtags`, `/rules`, `/runs`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import redis
from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from schemas.setting_views import AggregatesCacheSettings
from schemas.transport.postgres import Connection
from stream_processors.aggregates.aggregates import (
    AuditFigures,
    Grouped,
    RuleFigures,
    Selection,
    SeriesPoint,
)
from stream_processors.aggregates.time_windows import InvalidWindow, between, parse_window
from stream_processors.queries.http.parameters import ChosenTweets, End, Run, Start, moment_of
from stream_processors.queries.run_list import RunSummary, summaries
from stream_processors.queries.totals import Totals, read_totals

WindowName = Annotated[
    str | None,
    Query(
        max_length=20,
        description="1h, 1d and all (the default) come from Redis; any other (30m, 6h, 2w) is "
        "computed. Not together with `from` and `to`.",
    ),
]


@dataclass(frozen=True)
class FigureSources:
    """Where figures are read."""

    cache: AggregatesCacheSettings
    connect_redis: Callable[[], "redis.Redis"]
    lend_postgres: Callable[[], AbstractContextManager[Connection]]


class Span(Struct, frozen=True, kw_only=True):
    """Which tweets of a run are counted, and when they were; as in `/totals`."""

    run: str
    window: str
    start: datetime | None
    end: datetime | None
    as_of: datetime
    selection: Selection
    tweets: int


class SeriesAnswer(Span, frozen=True, kw_only=True):
    """Tweets over time, by label."""

    series_step_s: int
    series: list[SeriesPoint]


class HashtagsAnswer(Span, frozen=True, kw_only=True):
    """The 20 most frequent hashtags, by label."""

    hashtags: list[Grouped]


class RulesAnswer(Span, frozen=True, kw_only=True):
    """The rules, by label, each with what its audits tell; `audit` is of all tweets."""

    rules: list[RuleFigures]
    audit: AuditFigures


class RunsAnswer(Struct, frozen=True, kw_only=True):
    """Every run, the one that changed last first."""

    runs: list[RunSummary]


def figures_router(sources: FigureSources) -> APIRouter:
    """Return the routes. They wait for servers, so each runs in a thread."""
    router = APIRouter(tags=["figures"])

    def read(
        run: str | None, window: str | None, start: str | None, end: str | None, chosen: Selection
    ) -> Totals:
        spans = start is not None or end is not None
        if spans and window is not None:
            raise InvalidWindow("window and from or to exclude each other")
        return read_totals(
            run,
            between(moment_of(start), moment_of(end)) if spans else parse_window(window or "all"),
            datetime.now(UTC),
            chosen,
            cache=sources.cache,
            connect_redis=sources.connect_redis,
            lend_postgres=sources.lend_postgres,
        )

    def add(path: str, answer: type[Struct], summary: str, take: Callable[[Totals], Any]) -> None:
        def call(
            selected: ChosenTweets,
            run: Run = None,
            window: WindowName = None,
            start: Start = None,
            end: End = None,
        ) -> Response:
            return json_answer(take(read(run, window, start, end, selected)))

        router.add_api_route(
            path,
            call,
            methods=["GET"],
            summary=summary,
            response_class=Response,
            openapi_extra=openapi_of_answer(answer),
            operation_id=f"get_{path.strip('/')}",
        )

    add("/totals", Totals, "A run's figures, as `murmur totals --json`", lambda totals: totals)
    add("/series", SeriesAnswer, "Labels over time", lambda t: _part(t, SeriesAnswer))
    add("/hashtags", HashtagsAnswer, "Hashtags by label", lambda t: _part(t, HashtagsAnswer))
    add("/rules", RulesAnswer, "Rules by label", lambda t: _part(t, RulesAnswer))

    @router.get(
        "/runs",
        summary="Every run, as `murmur runs list --json`",
        response_class=Response,
        openapi_extra=openapi_of_answer(RunsAnswer),
    )
    def runs() -> Response:
        with sources.lend_postgres() as connection:
            return json_answer(RunsAnswer(runs=summaries(connection)))

    return router


def _part(totals: Totals, answer: type[Span]) -> Span:
    figures = totals.aggregates
    return answer(**{name: getattr(figures, name) for name in answer.__struct_fields__})
