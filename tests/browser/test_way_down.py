"""From a figure down to one tweet, and beside: comparing, and a text of one's own."""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.browser.visitor import PHONE, Visitor
from tests.conditions import wait_until
from tests.integration.storing import store
from tests.unit.examples import deleted

BAD_DAY: Final = "from=2026-04-09T12:00&to=2026-04-10T00:00"
VIEWS: Final = (
    f"/page/why?run=city&{BAD_DAY}",
    "/page/why?run=city&from=2020-01-01&to=2020-01-02",
    "/page/tweets?run=city&rule=tram&hashtag=strike",
    "/page/tweets?run=city&words=nothing-like-this",
    "/page/tweets?run=hostile",
    "/page/tweets/900000?run=hostile",
    "/page/compare?run=city&rule=tram&b_run=city&b_rule=football",
    "/page/try",
    "/page/alarms?run=city",
    "/page/alarms?run=hostile",
)


@pytest.mark.parametrize("path", VIEWS)
def test_nothing_bars_anybody_and_nothing_complains(path: str, visitor: Visitor, axe: str) -> None:
    answer = visitor.goes_to(path)
    visitor.looks_well(axe)
    if answer.ok:
        visitor.has_no_complaint()


def test_a_click_on_the_peak_leads_to_its_words_and_to_a_tweet(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to("/page?run=city&live=off")
    page.locator("a[href*='from=2026-04-09T18'] .hit").click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    words = page.get_by_role("table", name="Words")
    expect(words.get_by_role("row", name=re.compile("strike")).first).to_be_visible()
    words.get_by_role("link").first.click()
    page.wait_for_url(re.compile(r"/page/tweets/\d+"))
    page.go_back()
    rules = page.get_by_role("table", name="Rules that moved")
    expect(rules.get_by_role("row").nth(1)).to_be_visible()
    page.get_by_role("link", name="A day before").click()
    expect(page.get_by_text("compared with")).to_be_visible()
    page.go_back()
    words.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name=re.compile(r"Tweet \d+"))).to_be_visible()
    expect(page.locator("mark").first).to_be_visible()
    visitor.has_no_complaint()


def by_keyboard(page: Page, name: str) -> None:
    """Press Tab until a link or button of this name has the focus, then Enter."""
    for _ in range(200):
        page.keyboard.press("Tab")
        text = page.evaluate("document.activeElement.textContent.trim()")
        if text.startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def test_the_keyboard_alone_leads_down_to_a_tweet(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to("/page?run=city&live=off")
    by_keyboard(page, "The chart as a table")
    by_keyboard(page, "10/04/2026, 02:00")
    page.wait_for_url(re.compile("/page/why"))
    by_keyboard(page, "Show the tweets")
    page.wait_for_url(re.compile("/page/tweets"))
    by_keyboard(page, "Everything about it")
    page.wait_for_url(re.compile(r"/page/tweets/\d+"))
    visitor.has_no_complaint()


def test_tweets_are_found_by_words_and_turned_page_by_page(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to("/page/tweets?run=city")
    page.get_by_label("Words in the text").fill("strike ruins")
    page.keyboard.press("Enter")
    expect(page.locator(".tweet").first).to_contain_text("The strike ruins my day")
    first = page.locator(".tweet").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".tweet").first).to_be_visible()
    assert "words=strike" in page.url
    assert page.locator(".tweet").first.inner_text() != first


def test_a_tweet_that_is_removed_disappears_from_an_open_page(
    visitor: Visitor, module_settings: Settings
) -> None:
    page = visitor.page
    visitor.goes_to(f"/page/tweets/{10**17 + 77}?run=city")
    expect(page.locator(".text")).to_be_visible()
    connection = connect_postgres(module_settings.postgres_connection, "test")
    try:
        store(connection, [deleted(str(10**17 + 77), run="city")])
    finally:
        connection.close()
    expect(page.get_by_role("heading", name="This tweet is gone")).to_be_visible(timeout=90_000)
    expect(page.locator(".text")).to_have_count(0)


def test_a_removed_tweet_leaves_a_paused_list_too(
    visitor: Visitor, module_settings: Settings
) -> None:
    page = visitor.page
    visitor.goes_to("/page/tweets?run=city&live=off")
    tweet = page.locator(".tweet").nth(2)
    gone = (tweet.get_attribute("data-tweet") or "").split()[0]
    with page.expect_response(re.compile("/page/events")):
        page.reload()
    connection = connect_postgres(module_settings.postgres_connection, "test")
    try:
        store(connection, [deleted(gone, run="city")])
    finally:
        connection.close()
    expect(page.locator(f'[data-tweet~="{gone}"]')).to_have_count(0, timeout=90_000)
    expect(page.locator(".tweet")).to_have_count(49)
    visitor.has_no_complaint()


def test_a_text_of_ones_own_is_explained(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to("/page/try")
    page.get_by_label("Text").fill("Worst service ever 😡")
    page.get_by_role("button", name="Ask the model").click()
    expect(page.get_by_role("heading", name="The answer")).to_be_visible()
    expect(page.locator("mark.for").first).to_be_visible()
    assert "Worst" not in page.url
    visitor.has_no_complaint()


def test_a_right_label_is_given_once_on_a_phone(visitor: Visitor, axe: str) -> None:
    page = visitor.page
    page.set_viewport_size(PHONE)
    visitor.goes_to("/page/try")
    page.get_by_label("Text", exact=True).fill("Worst of all 😡 days")
    page.get_by_role("button", name="Ask the model").click()
    page.get_by_label("The right label:", exact=True).select_option("positive")
    page.get_by_role("button", name="Give this label", exact=True).click()
    expect(page.get_by_text("Corrected by")).to_be_visible()
    row = page.get_by_role("row", name=re.compile("Worst of all")).first

    def is_logged() -> bool:
        visitor.goes_to("/page/try")
        return bool(row.count() == 1)

    wait_until(is_logged, 60, "the prediction to be logged")
    expect(row.get_by_role("combobox")).to_have_count(0)
    expect(row).to_contain_text("positive")
    visitor.looks_well(axe)
    page.set_viewport_size(PHONE)
    row.get_by_role("button", name="Take it back").click()
    expect(row.get_by_role("combobox")).to_be_visible()
    visitor.has_no_complaint()


def test_an_alarm_is_seen_and_that_is_taken_back(visitor: Visitor, axe: str) -> None:
    page = visitor.page
    visitor.goes_to("/page?run=city&live=off")
    page.get_by_role("link", name="nobody has seen it yet").click()
    page.get_by_label("Note").fill("a strike")
    page.keyboard.press("Enter")
    alarm = page.get_by_role("listitem").filter(has_text="negative share of rule tram")
    expect(alarm).to_contain_text(re.compile("seen by .*a strike"))
    visitor.looks_well(axe)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("button", name="I have seen it")).to_be_visible()
    visitor.has_no_complaint()


def test_two_rules_stand_side_by_side(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes_to("/page/compare?run=city")
    rules = page.get_by_label("Rule")
    rules.nth(0).fill("tickets")
    rules.nth(1).fill("football")
    page.get_by_role("button", name="Compare").click()
    row = page.get_by_role("table", name="Labels").get_by_role("row", name="negative")
    expect(row).to_contain_text("−")
    visitor.has_no_complaint()
