"""The overview as a person uses it: by mouse, by keyboard, on a phone, without scripts."""

import re
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.browser.city import city_tweets
from tests.browser.visitor import PHONE, Visitor, visiting
from tests.integration.serving import Service
from tests.integration.storing import store

OVERVIEW: Final = "/page?run=city&live=off"


@pytest.mark.parametrize("path", [OVERVIEW, "/page?run=hostile&live=off", "/page?run=nothing"])
def test_nothing_bars_anybody_and_nothing_complains(path: str, visitor: Visitor, axe: str) -> None:
    answer = visitor.goes_to(path)
    visitor.looks_well(axe)
    if answer.ok:
        visitor.has_no_complaint()


def test_the_page_renews_itself_and_can_be_paused(visitor: Visitor) -> None:
    page = visitor.page
    with (
        page.expect_response(re.compile("/page/events"), timeout=60_000) as stream,
        page.expect_response(re.compile("/page/figures"), timeout=60_000) as first,
    ):
        visitor.goes_to("/page?run=city")
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    assert first.value.status == 204
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    assert "live=off" in page.url
    expect(page.locator("[hx-trigger]")).to_have_count(0)
    visitor.has_no_complaint()


def test_what_comes_in_is_shown_and_what_was_opened_stays_open(
    visitor: Visitor, module_settings: Settings
) -> None:
    page = visitor.page
    visitor.goes_to("/page?run=arriving")
    expect(page.get_by_role("heading", name="There is no such thing")).to_be_visible()
    connection = connect_postgres(module_settings.postgres_connection, "test")
    try:
        store(connection, city_tweets(20, run="arriving"))
        visitor.goes_to("/page?run=arriving")
        expect(page.get_by_text("Of 20 tweets")).to_be_visible()
        page.get_by_text("The chart as a table").click()
        table = page.get_by_role("table", name="Labels over time")
        expect(table).to_be_visible()
        store(connection, city_tweets(25, run="arriving"))
        expect(page.get_by_text("Of 25 tweets")).to_be_visible(timeout=60_000)
        expect(table).to_be_visible()
    finally:
        connection.close()


def test_times_are_in_the_zone_of_the_reader_or_in_utc(visitor: Visitor) -> None:
    visitor.goes_to("/page?run=city&live=off&from=2026-04-03&to=2026-04-04")
    first = visitor.page.locator("tbody time").first
    expect(first).to_have_text("03/04/2026, 02:00")
    visitor.page.get_by_role("button", name="time zone").click()
    expect(first).to_have_text("03/04/2026, 00:00 UTC")
    visitor.page.reload()
    expect(first).to_have_text("03/04/2026, 00:00 UTC")


def test_pointing_reads_a_bucket_out_and_dragging_looks_closer(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to(OVERVIEW)
    hits = page.locator(".hit")
    hits.nth(10).hover()
    expect(page.locator("[data-readout]")).to_contain_text("Tweets")
    hits.nth(30).hover()
    page.mouse.down()
    hits.nth(36).hover()
    page.mouse.up()
    page.wait_for_url(re.compile("from=.*to="))
    assert "window" not in page.url
    visitor.has_no_complaint()


def test_the_span_the_rule_and_the_measure_are_in_the_address(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to(OVERVIEW)
    page.get_by_role("link", name="7 days").click()
    page.get_by_role("link", name="tickets", exact=True).click()
    page.get_by_role("link", name="Counts").click()
    for part in ("run=city", "window=7d", "rule=tickets", "show=counts"):
        assert part in page.url
    page.get_by_role("link", name="Remove the filter tickets").click()
    assert "rule=" not in page.url


def test_the_keyboard_alone_is_enough(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to(OVERVIEW)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("To the content")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 40)"))
    for name in ("1 hour", "Filter", "Resume", "Counts", "The chart as a table", "tickets"):
        assert any(name in each for each in reached), (name, reached)


def test_a_phone_shows_each_share_and_every_page(visitor: Visitor) -> None:
    page = visitor.page
    page.set_viewport_size(PHONE)
    visitor.goes_to(OVERVIEW)
    row = page.get_by_role("row", name=re.compile("tickets")).first
    expect(row.get_by_role("cell", name=re.compile(r"negative \d+%"))).to_be_visible()
    for name in ("Overview", "Alarms", "Machine", "Report"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_in_viewport()
    page.get_by_text("Filter", exact=True).click()
    start = page.get_by_label("From (UTC)")
    start.fill("2026-04-09T12:00")
    start.press("Enter")
    page.wait_for_url(re.compile("from=2026-04-09T12%3A00"))
    page.get_by_text("Filter", exact=True).click()
    expect(page.get_by_label("From (UTC)")).to_have_value("2026-04-09T12:00")
    visitor.has_no_complaint()


def test_without_scripts_everything_is_there(browser: Browser, service: Service) -> None:
    with visiting(browser, service.address, java_script_enabled=False) as visitor:
        visitor.goes_to(OVERVIEW)
        page = visitor.page
        expect(page.get_by_text("Of 4,000 tweets")).to_be_visible()
        page.get_by_text("The chart as a table").click()
        expect(page.get_by_role("table", name="Labels over time")).to_be_visible()
        page.get_by_role("link", name="1 day").click()
        expect(page.get_by_role("heading", name="Labels over time")).to_be_visible()
