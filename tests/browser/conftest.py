"""A service full of tweets, and a real Chromium that a person could sit before."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from retrain.drift.alarm import AlarmId
from schemas.alarm_events import Signal
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.browser.city import city_tweets
from tests.browser.visitor import Visitor, visiting
from tests.hostile_texts import hostile_texts
from tests.integration.serving import Service, serving
from tests.integration.storing import store
from tests.integration.test_alarms import keep, raised
from tests.unit.examples import scored_tweet


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "there is no Chromium here: install the package `chromium`"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=program,
            # Its sandbox needs rights that a container's root has not; it sees our own pages alone.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def service(
    module_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with a run `city` that has a bad afternoon and an alarm, and a run `hostile`."""
    connection = connect_postgres(module_settings.postgres_connection, "test")
    try:
        store(connection, city_tweets())
        of = AlarmId("city", "tram", Signal.LABEL_SHARE, "negative")
        keep(connection, raised(datetime(2026, 4, 9, 12, tzinfo=UTC), of))
        store(
            connection,
            [
                scored_tweet(
                    "negative",
                    run="hostile",
                    tweet_id=str(900_000 + number),
                    posted_at=datetime(2026, 4, 1, tzinfo=UTC),
                    text=text,
                    hashtags=(text[:100],),
                )
                for number, text in enumerate(hostile_texts())
            ],
        )
    finally:
        connection.close()
    changes = {"serve_rate": "", "serve_log_days": 1}
    with serving(module_settings, tmp_path_factory.mktemp("serve"), **changes) as running:
        yield running


@pytest.fixture
def visitor(browser: Browser, service: Service) -> Iterator[Visitor]:
    """Somebody with a wide window and a mouse."""
    with visiting(browser, service.address) as somebody:
        yield somebody


@pytest.fixture(scope="session")
def axe() -> str:
    """The checks of accessibility, as a script."""
    return (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
