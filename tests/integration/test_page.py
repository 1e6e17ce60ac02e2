"""The page over real HTTP, as a browser without scripts reads it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from deploy.page.navigation import NAVIGATION
from deploy.web.access.scopes import Scope
from retrain.drift.alarm import AlarmId
from schemas.alarm_events import Signal
from schemas.events import MatchedRule
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.conditions import wait_until
from tests.hostile_texts import hostile_texts
from tests.integration.reading import START, some_tweets
from tests.integration.serving import Service, make_key, serving
from tests.integration.storing import store
from tests.integration.test_alarms import keep, raised
from tests.unit.examples import scored_tweet

HOSTILE: Final = hostile_texts()
HTML: Final = {"Accept": "text/html"}
VIEWS: Final = (
    "/page",
    "/page?run=archive",
    "/page?run=archive&show=counts&live=off",
    "/page?run=archive&rule=weather",
    "/page?run=archive&label=negative",
    "/page?run=archive&language=en",
    "/page?run=archive&from=2016-11-18&to=2016-11-19T06:00",
    "/page?run=archive&from=2012-01-01&to=2012-01-02",
    "/page?run=hostile",
    "/page/figures?run=hostile",
    "/page/tweets?run=archive",
    "/page/tweets?run=archive&rule=weather&hashtag=tag01&label=positive&window=1d",
    "/page/tweets?run=archive&words=zzz",
    "/page/tweets?run=hostile",
    "/page/why?run=archive&from=2016-11-18&to=2016-11-19",
    "/page/why?run=archive&from=2016-11-18&to=2016-11-19&rule=weather&label=negative",
    "/page/why?run=archive&from=2012-11-18&to=2012-11-19",
    "/page/why?run=hostile",
    "/page/compare?run=archive",
    "/page/compare?run=archive&rule=weather&b_run=archive&b_rule=football",
    "/page/compare?run=archive&from=2016-11-17&to=2016-11-18&b_from=2016-11-18&b_to=2016-11-19",
    "/page/compare?run=hostile&b_run=archive",
    "/page/try",
    "/page/alarms?run=archive",
    "/page/alarms?run=hostile&open=on",
)
VOID: Final = frozenset("meta link input img br hr path rect".split())


class Seen(HTMLParser):
    """What a browser would make of a page: elements, attributes, addresses, tables, text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[tuple[str, str, list[str]]] = []
        self._of_class: list[tuple[str, list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            held: list[str] = []
            self._open.append((tag, dict(attrs).get("class") or "", held))
            self._of_class.append((dict(attrs).get("class") or "", held))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        for _, _, held in self._open:
            held.append(data)

    def of_class(self, name: str) -> list[str]:
        """Return the whole text of each element of a class."""
        return ["".join(held) for classes, held in self._of_class if name in classes.split()]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def database(module_settings: Settings) -> Iterator[Connection]:
    """A run with an alarm, and one whose every text and name is hostile."""
    connection = connect_postgres(module_settings.postgres_connection, "test")
    names = [text[:100] for text in HOSTILE]
    store(
        connection,
        [
            *some_tweets(300),
            *(
                scored_tweet(
                    "negative",
                    run="hostile",
                    tweet_id=str(900_000 + number),
                    posted_at=START,
                    text=text,
                    hashtags=(names[number],),
                    rules=(MatchedRule(tag=names[number]),),
                )
                for number, text in enumerate(HOSTILE)
            ),
        ],
    )
    of = AlarmId("archive", "weather", Signal.LABEL_SHARE, "negative")
    keep(connection, raised(START + timedelta(hours=12), of))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def service(
    module_settings: Settings, database: Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    assert database
    changes = {"serve_rate": "", "serve_log_days": 1}
    with serving(module_settings, tmp_path_factory.mktemp("serve"), **changes) as running:
        yield running


def test_a_browser_is_led_to_the_page_and_a_program_told_what_this_is(service: Service) -> None:
    led = service.get("/", headers=HTML, allow_redirects=False)
    assert (led.status_code, led.headers["Location"]) == (307, "/page")
    assert service.get("/").json()["page"] == "/page"
    assert "Accept" in service.get("/").headers["Vary"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_keeps_to_itself_whatever_its_texts_say(service: Service, view: str) -> None:
    answer = service.get(view)
    keeps_to_itself(answer)
    seen = Seen(answer.text)
    if not view.startswith("/page/figures"):
        assert len(seen.all("h1")) == 1
        assert len(seen.all("main")) == 1


def keeps_to_itself(answer: requests.Response) -> None:
    assert answer.status_code == 200, answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    seen = Seen(answer.text)
    for tag, attrs in seen.elements:
        assert tag not in ("style", "base", "iframe", "object", "embed", "plaintext")
        assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
        for name in ("href", "src", "action", "hx-get"):
            address = attrs.get(name) or ""
            assert not address or address.startswith(("/page", "#")), (tag, address)
    for script in seen.all("script"):
        assert (script["src"] or "").startswith("/page/static/")


def test_every_hostile_text_is_shown_and_does_nothing(service: Service) -> None:
    address, shown = "/page/tweets?run=hostile", []
    while address:
        answer = service.get(address)
        keeps_to_itself(answer)
        seen = Seen(answer.text)
        shown += seen.of_class("text")
        address = next((str(a["href"]) for a in seen.all("a") if a.get("rel") == "next"), "")
    expected = [text.replace("\r\n", "\n") for text in reversed(HOSTILE)]
    assert [text.replace("\r\n", "\n") for text in shown] == expected


def test_hostile_texts_that_were_asked_about_stay_in_their_table(service: Service) -> None:
    texts = [text for text in HOSTILE if text.strip()][:60]
    assert service.post("/predict/batch", json={"texts": texts}).ok

    def table(address: str) -> Seen:
        answer = service.get(address)
        keeps_to_itself(answer)
        return Seen(answer.text)

    wait_until(lambda: table("/page/try").all("select"), 60, "the log to be written")
    address, rows = "/page/try", 0
    while address:
        seen = table(address)
        rows += len(seen.of_class("recent-text"))
        address = next((str(a["href"]) for a in seen.all("a") if a.get("rel") == "next"), "")
    assert rows >= len(texts)


@pytest.mark.parametrize("number", range(0, len(HOSTILE), 9))
def test_the_page_of_a_hostile_tweet_says_everything_of_it(service: Service, number: int) -> None:
    answer = service.get(f"/page/tweets/{900_000 + number}?run=hostile")
    keeps_to_itself(answer)
    (shown,) = Seen(answer.text).of_class("text")
    assert shown.replace("\r\n", "\n") == HOSTILE[number].replace("\r\n", "\n")
    tried = service.post(
        "/page/try", data={"text": HOSTILE[number]}, headers={"Origin": service.address}
    )
    keeps_to_itself(tried)


def test_a_tweet_that_is_gone_is_not_found(service: Service) -> None:
    assert service.get("/page/tweets/1?run=hostile").status_code == 404


def test_a_text_is_answered_with_its_label_and_its_words(service: Service) -> None:
    own = {"Origin": service.address}
    text = "What a lovely morning, thank you"
    seen = Seen(service.post("/page/try", data={"text": text}, headers=own).text)
    label = service.post("/predict", json={"text": text}).json()["label"]
    assert f"for {label}" in seen.text
    assert "".join(seen.of_class("text")) == text
    assert "lovely" in seen.of_class("for")[0] + " ".join(seen.of_class("for"))
    empty = service.post("/page/try", data={"text": " "}, headers=own)
    assert empty.status_code == 422
    assert "Write a text first." in empty.text


def test_what_changed_is_what_the_call_says(service: Service) -> None:
    span = {"run": "archive", "from": "2016-11-18", "to": "2016-11-19"}
    seen = Seen(service.get("/page/why", params=span).text)
    for move in service.get("/why", params=span).json()["changed"]["labels"]:
        assert f"{100 * move['share_after']:.1f}%" in seen.text


def test_the_overview_says_in_words_and_tables_what_its_chart_shows(service: Service) -> None:
    seen = Seen(service.get("/page?run=archive&live=off").text)
    figures = service.get("/totals", params={"run": "archive"}).json()["aggregates"]
    assert f"Of {figures['tweets']:,} tweets, " in seen.text
    assert len(seen.all("caption")) == len(seen.all("table")) >= 3
    for point in figures["series"]:
        assert point["start"] in {each["datetime"] for each in seen.all("time")}
    for rule in figures["rules"]:
        assert rule["name"] in seen.text
    assert not any("hx-get" in attrs for _, attrs in seen.elements), "it is paused"


def test_an_alarm_stands_on_the_time_line_and_leads_to_what_changed(service: Service) -> None:
    alarm = service.get("/alarms").json()["alarms"][0]
    told = Seen(service.get("/page?run=archive").text)
    assert alarm["sentence"] in told.text
    assert any("2016-11-17T12%3A00" in (each["href"] or "") for each in told.all("a"))
    assert alarm["sentence"] not in Seen(service.get("/page?run=archive&rule=football").text).text


def test_figures_that_were_seen_are_not_sent_again(service: Service) -> None:
    view = "/page/figures?run=archive"
    first = service.get(view)
    (figures,) = (attrs for _, attrs in Seen(first.text).elements if attrs.get("id") == "figures")
    again = str(figures["hx-get"])
    assert parse_qs(urlsplit(again).query)["seen"]

    def not_sent() -> bool:
        answer = service.get(again)
        # A minute may have begun meanwhile.
        return answer.status_code == 204 or _newer(answer) != again

    assert not_sent()


def _newer(answer: requests.Response) -> Any:
    return next(a["hx-get"] for _, a in Seen(answer.text).elements if a.get("id") == "figures")


def test_many_open_pages_get_their_figures_at_once(service: Service) -> None:
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: service.get("/page/figures?run=archive"), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) <= 2


def test_numbers_are_in_the_way_of_the_reader(service: Service) -> None:
    german = service.get("/page?run=archive", headers={"Accept-Language": "de"}).text
    assert re.search(r"\d,\d\u00a0%", german)


def test_faults_are_pages_too(service: Service) -> None:
    for path, status in (
        ("/page?run=nothing", 404),
        ("/page?window=yesterday", 422),
        ("/page/nothing", 404),
        ("/page/static/000000000000/page.css", 404),
    ):
        answer = service.get(path)
        assert answer.status_code == status, path
        assert answer.headers["Content-Type"].startswith("text/html")
        assert len(Seen(answer.text).all("h1")) == 1
    assert service.get("/nothing").headers["Content-Type"] == "application/problem+json"


def test_files_are_kept_for_ever_and_need_no_key(service: Service) -> None:
    links = Seen(service.get("/page").text).all("link")
    for address in (str(link["href"]) for link in links):
        answer = service.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.fixture(scope="module")
def key(module_settings: Settings, service: Service) -> str:
    """A key that may read; from now on the service lets nobody in without one."""
    key = make_key(module_settings, "reader", "read")["Authorization"].partition(" ")[2]
    wait_until(lambda: service.get("/page").status_code == 401, 60, "the key to be known")
    return key


def test_who_has_a_key_signs_in_once_and_out(service: Service, key: str) -> None:
    browser = requests.Session()
    wanted = f"{service.address}/page?run=archive&live=off"
    form = browser.get(wanted, headers=HTML, timeout=60)
    assert form.status_code == 401
    told = Seen(form.text).text
    recommended = {str(place.scope) for place in NAVIGATION}
    assert set(re.findall(r"--scope (\w+)", told)) == recommended, "it opens every page"
    assert all(scope in told for scope in Scope)
    (following,) = (a["value"] for a in Seen(form.text).all("input") if a["name"] == "following")
    own = {"Origin": service.address}
    sign_in = f"{service.address}/page/sign-in"
    fields = {"key": key, "following": str(following)}
    wrong = browser.post(sign_in, {**fields, "key": "x"}, headers=own, timeout=60)
    assert wrong.status_code in (401, 429)
    assert "not valid" in Seen(wrong.text).text
    done = browser.post(sign_in, fields, headers=own, timeout=60, allow_redirects=False)
    assert done.status_code == 303
    assert f"{service.address}{done.headers['Location']}" == wanted
    cookie = done.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/page"} <= set(cookie.split("; "))
    assert browser.get(wanted, timeout=60).status_code == 200
    assert browser.get(f"{service.address}/totals", timeout=60).status_code == 401
    out = browser.post(f"{service.address}/page/sign-out", headers=own, timeout=60)
    assert "Sign in" in out.text
    assert browser.get(wanted, timeout=60).status_code == 401


def test_another_site_can_send_nothing_in_the_name_of_who_is_signed_in(
    service: Service, key: str
) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        for path in ("/page/sign-in", "/page/sign-out", "/page/try", "/page/alarms/seen"):
            answer = service.post(
                path, data={"key": key}, headers=headers, cookies={"murmur_key": key}
            )
            assert answer.status_code == 403, (path, headers)
            assert "Set-Cookie" not in answer.headers


def test_the_cookie_opens_the_page_alone_and_a_wrong_one_is_taken_back(
    service: Service, key: str
) -> None:
    cookies = {"murmur_key": key}
    assert service.get("/page?run=archive", cookies=cookies).status_code == 200
    assert service.get("/page/try", cookies=cookies).status_code == 403
    assert service.post("/predict", json={"text": "a"}, cookies=cookies).status_code == 401
    wrong = service.get("/page", cookies={"murmur_key": "wrong"})
    assert wrong.status_code in (401, 429)
    polled = service.get("/page/figures", headers={"HX-Request": "true"})
    assert polled.headers["HX-Refresh"] == "true"


def test_a_link_on_another_site_opens_the_page(service: Service, key: str) -> None:
    assert key
    answer = service.get("/page?run=archive", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 401
    refresh = next(a for a in Seen(answer.text).all("meta") if a.get("http-equiv") == "refresh")
    assert refresh["content"] == "0;url=/page?run=archive"


def test_a_sign_in_leads_nowhere_else(service: Service, key: str) -> None:
    for elsewhere in (
        "https://evil.example/page",
        "//evil.example/page",
        "/totals",
        "/page/sign-out",
    ):
        answer = service.post(
            "/page/sign-in",
            data={"key": key, "following": elsewhere},
            headers={"Origin": service.address},
            allow_redirects=False,
        )
        assert urlsplit(answer.headers["Location"]).netloc == ""
        assert answer.headers["Location"] in ("/page",)
