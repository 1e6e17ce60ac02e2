"""All pages put together."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import redis
from fastapi import APIRouter

from deploy.page.alarms import alarms_router
from deploy.page.compare import compare_router
from deploy.page.corrections import corrections_router
from deploy.page.labels import labels_router
from deploy.page.machine import machine_acts_router, machine_router
from deploy.page.model import model_acts_router, model_router
from deploy.page.overview import overview_router
from deploy.page.page_sources import KEPT_S, PageSources
from deploy.page.refusal_page import RefusalPages
from deploy.page.rendering import Pages
from deploy.page.reports import reports_router
from deploy.page.shared_answers import SharedAnswers
from deploy.page.sign_in import CheckKey, sign_in_router
from deploy.page.static_files import read_static_files, static_router
from deploy.page.strings import read_strings
from deploy.page.text_explainer import Explain
from deploy.page.try_text import TryPages, try_router
from deploy.page.tweets import tweets_router
from deploy.page.what_changed import what_changed_router
from deploy.web.access.browser import PAGE
from deploy.web.events.change_feed import ChangeFeed
from deploy.web.events.events_router import events_router
from deploy.web.operations import Operations
from deploy.web.refusals import RefusalPage
from model_server.model_slot import SlotState
from model_server.prediction_log.log_writer import PredictionLog
from schemas.setting_views import AggregatesCacheSettings
from schemas.transport.postgres import Connection

_MOST_OPEN_PAGES: Final = 100
"""Of a key, or of the person at this machine: a wall of screens is one caller."""


def page_router(
    cache: AggregatesCacheSettings,
    connect_redis: Callable[[], "redis.Redis"],
    lend: Callable[[], AbstractContextManager[Connection]],
    check_key: CheckKey,
    explain: Explain,
    state: Callable[[], SlotState],
    operations: Operations,
    feed: ChangeFeed,
    log: PredictionLog,
    served_labels: Callable[[], Sequence[str]],
) -> tuple[APIRouter, RefusalPage]:
    """Return the routes of all pages, and what tells a refusal as a page."""
    files = read_static_files()
    pages = Pages(files, read_strings())
    sources = PageSources(cache, connect_redis, lend, SharedAnswers(time.monotonic, KEPT_S))
    router = APIRouter()
    for part in (
        static_router(files),
        sign_in_router(pages, check_key),
        events_router(
            feed, path=f"{PAGE}/events", most_of_a_caller=_MOST_OPEN_PAGES, in_schema=False
        ),
        overview_router(pages, sources),
        what_changed_router(pages, sources),
        tweets_router(pages, sources, explain),
        alarms_router(pages, sources),
        compare_router(pages, sources),
        try_router(TryPages(pages, sources, log, served_labels), explain),
        labels_router(pages, sources),
        model_router(pages, sources, state, operations),
        model_acts_router(pages, sources, operations),
        machine_router(pages, sources, operations),
        machine_acts_router(pages, sources, operations),
        reports_router(pages, sources),
        corrections_router(pages, sources),
    ):
        router.include_router(part)
    return router, RefusalPages(pages).answer
