"""Labelling, the model and the machine, as a person works with them."""

import re
import time
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, expect

from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.browser.visitor import PHONE, Visitor, visiting
from tests.integration.serving import Service

LABELS: Final = "/page/labels?run=city"
VIEWS: Final = (
    LABELS,
    "/page/labels?run=city&kind=second",
    "/page/labels?run=hostile",
    "/page/labels/correct?run=hostile&tweet=900003",
    "/page/model?run=city",
    "/page/model?run=hostile",
    "/page/model/quality?run=hostile",
    "/page/machine",
    "/page/report?run=hostile",
)
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "has_touch": True},
}


def stored(settings: Settings) -> list[tuple[Any, ...]]:
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT label FROM labels WHERE run = 'city' ORDER BY labelled_at")
            return cursor.fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_bars_anybody_and_nothing_complains(
    look: str, browser: Browser, service: Service, axe: str
) -> None:
    with visiting(browser, service.address, **LOOKS[look]) as visitor:
        for path in VIEWS:
            assert visitor.goes_to(path).status == 200, path
            for details in visitor.page.locator("details").all():
                details.evaluate("(element) => { element.open = true; }")
            visitor.is_barred_by_nothing(axe)
            visitor.sees_no_sideways_scrolling()
            visitor.has_no_complaint()


def test_twenty_tweets_are_labelled_by_keys_alone(
    visitor: Visitor, module_settings: Settings
) -> None:
    page = visitor.page
    visitor.goes_to(LABELS)
    expect(page.get_by_text("1 of ")).to_be_visible()
    # Typed ahead, as people do who know the keys.
    began_s = time.monotonic()
    for key in "12312312312312312312":
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile(r"^This queue: 20 labelled"))).to_be_visible(timeout=60_000)
    assert time.monotonic() - began_s < 60
    said = [label for (label,) in stored(module_settings)]
    assert len(said) >= 20
    page.keyboard.press("u")
    expect(page.get_by_text(re.compile(r"^This queue: 19 labelled"))).to_be_visible(timeout=20_000)
    assert len(stored(module_settings)) < len(said)
    page.keyboard.press("?")
    expect(page.get_by_text("1 unsure")).to_be_visible(timeout=20_000)
    page.keyboard.press("s")
    expect(page.locator(".ask-last")).to_contain_text("skipped", timeout=20_000)
    visitor.has_no_complaint()


def test_a_key_in_a_field_or_with_control_labels_nothing(
    visitor: Visitor, module_settings: Settings
) -> None:
    page = visitor.page
    before = len(stored(module_settings))
    visitor.goes_to(LABELS)
    page.get_by_label("Rule").fill("1")
    page.keyboard.press("1")
    page.locator("h1").click()
    page.keyboard.press("Control+1")
    page.keyboard.press("x")
    visitor.goes_to(LABELS)
    assert len(stored(module_settings)) == before


def test_labels_are_given_without_scripts(
    browser: Browser, service: Service, module_settings: Settings
) -> None:
    before = len(stored(module_settings))
    with visiting(browser, service.address, java_script_enabled=False) as visitor:
        visitor.goes_to(f"{LABELS}&rule=tickets")
        visitor.page.get_by_role("button", name="negative").click()
        expect(visitor.page.get_by_text("Last answer:")).to_be_visible()
        assert "rule=tickets" in visitor.page.url
    assert len(stored(module_settings)) > before


def test_a_report_comes_down_as_one_file_that_is_whole_by_itself(
    visitor: Visitor, browser: Browser, tmp_path: Any
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
