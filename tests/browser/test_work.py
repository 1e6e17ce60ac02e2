"""Labelling, the model and the machine, as a person works with them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.browser.city import city_tweets
from tests.browser.visitor import Visitor, visiting
from tests.conditions import wait_until
from tests.integration.serving import Service
from tests.integration.storing import store

LABELS: Final = "/page/labels?run=words"
VIEWS: Final = (
    LABELS,
    "/page/labels?run=words&kind=second",
    "/page/labels?run=hostile",
    "/page/labels/correct?run=hostile&tweet=900003",
    "/page/model?run=city",
    "/page/model?run=hostile",
    "/page/model/quality?run=hostile",
    "/page/machine",
    "/page/report?run=hostile",
)


@pytest.fixture(scope="module")
def words(module_settings: Settings, service: Service) -> Iterator[Connection]:
    """A run in which no text comes twice."""
    assert service
    connection = connect_postgres(module_settings.postgres_connection, "test")
    tweets = [
        replace(tweet, text=f"{tweet.text} word{number}")
        for number, tweet in enumerate(city_tweets(80, run="words"))
    ]
    store(connection, tweets)
    yield connection
    connection.close()


def stored(connection: Connection) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM labels WHERE run = 'words'")
        return int(cursor.fetchall()[0][0])


@pytest.mark.usefixtures("words")
def test_nothing_bars_anybody_and_nothing_complains(visitor: Visitor, axe: str) -> None:
    for path in VIEWS:
        assert visitor.goes_to(path).status == 200, path
        visitor.looks_well(axe)
        visitor.has_no_complaint()


def test_twenty_tweets_are_labelled_by_keys_alone(visitor: Visitor, words: Connection) -> None:
    page = visitor.page
    visitor.goes_to(LABELS)
    expect(page.get_by_text("1 of 50")).to_be_visible()
    # Typed ahead, as people do who know the keys.
    for key in "12312312312312312312":
        page.keyboard.press(key)
    wait_until(lambda: stored(words) == 20, 60, "twenty labels")
    # One of ten came twice.
    expect(page.get_by_text("This queue: 19 labelled")).to_be_visible(timeout=30_000)
    page.keyboard.press("u")
    expect(page.get_by_text("This queue: 18 labelled")).to_be_visible(timeout=30_000)
    assert stored(words) == 19
    page.get_by_role("button", name="Unsure").click()
    expect(page.get_by_text("1 unsure")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Unsure")).to_be_focused()
    expect(page.locator("[data-said]")).to_contain_text(page.locator(".ask-text").inner_text())
    page.keyboard.press("s")
    expect(page.locator(".ask-last")).to_contain_text("skipped", timeout=30_000)
    visitor.has_no_complaint()


def test_a_key_in_a_field_or_with_control_labels_nothing(
    visitor: Visitor, words: Connection
) -> None:
    page = visitor.page
    before = stored(words)
    visitor.goes_to(LABELS)
    page.get_by_label("Rule").fill("1")
    page.keyboard.press("1")
    page.locator("h1").click()
    page.keyboard.press("Control+1")
    page.keyboard.press("x")
    visitor.goes_to(LABELS)
    assert stored(words) == before


def test_labels_are_given_without_scripts(
    browser: Browser, service: Service, words: Connection
) -> None:
    before = stored(words)
    with visiting(browser, service.address, java_script_enabled=False) as visitor:
        visitor.goes_to(f"{LABELS}&rule=tickets")
        visitor.page.get_by_role("button", name="negative").click()
        expect(visitor.page.get_by_text("Last answer:")).to_be_visible()
        assert "rule=tickets" in visitor.page.url
    assert stored(words) == before + 1


def test_a_report_comes_down_as_one_file_that_is_whole_by_itself(
    visitor: Visitor, browser: Browser, tmp_path: Path
) -> None:
    page = visitor.page
    visitor.goes_to("/page/report?run=city&window=7d")
    page.get_by_label("Rule").fill("tram")
    page.get_by_role("button", name="Show").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    with visiting(browser, "file://") as reader:
        reader.page.goto(f"file://{file}")
        expect(reader.page.get_by_role("heading", level=1)).to_contain_text("city, tram")
        reader.has_no_complaint()


def test_the_machine_renews_itself(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to("/page/machine")
    with page.expect_response(re.compile("/page/machine/state"), timeout=60_000) as renewed:
        expect(page.get_by_role("heading", name="How far behind")).to_be_visible()
    assert renewed.value.status == 200
    visitor.has_no_complaint()
