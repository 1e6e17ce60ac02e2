"""The rooms' routers of figures put together."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import redis
from fastapi import APIRouter

from retrain.data_quality.http_router import data_quality_router
from retrain.drift.alarms.http_router import alarms_router
from retrain.drift.figures.http_router import drift_router
from retrain.drift.why.http_router import why_router
from retrain.evaluation.service.http_router import evaluations_router
from retrain.jobs.http_router import jobs_router
from retrain.promotion.http_router import models_router
from schemas.setting_views import AggregatesCacheSettings
from schemas.transport.postgres import Connection
from stream_processors.dead_letters.http_router import dead_letters_router
from stream_processors.overriding.http_router import overrides_router
from stream_processors.queries.http.figures_router import FigureSources, figures_router
from stream_processors.queries.http.tweets_router import tweets_router

Lend = Callable[[], AbstractContextManager[Connection]]


def all_figures(
    cache: AggregatesCacheSettings,
    connect_redis: Callable[[], "redis.Redis"],
    lend: Lend,
    lend_for_export: Lend,
) -> APIRouter:
    """Return every route that tells what is stored."""
    router = APIRouter()
    for part in (
        figures_router(FigureSources(cache, connect_redis, lend)),
        tweets_router(lend, lend_for_export),
        dead_letters_router(lend),
        alarms_router(lend),
        why_router(lend),
        data_quality_router(lend),
        models_router(lend),
        jobs_router(lend),
        drift_router(lend),
        overrides_router(lend),
        evaluations_router(lend),
    ):
        router.include_router(part)
    return router
