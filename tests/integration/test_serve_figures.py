"""Figures and tweets over HTTP are what the commands print; nothing hostile is a fault of ours."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import pytest
import requests
from pydantic import SecretStr

from retrain.drift.alarm_store import alarm_key
from schemas.codec import Reason
from schemas.settings import Settings
from schemas.transport.dead_letters import DeadLetter, SourcePosition
from schemas.transport.postgres import Connection, connect_postgres
from tests.integration.reading import RULES, START, some_tweets
from tests.integration.serving import Service, command, serving
from tests.integration.storing import store
from tests.integration.test_alarms import OF, keep, raised
from tests.integration.test_alarms import START as ALARM_START
from tests.stack import MURMUR, process_environment
from tests.unit.examples import deleted, scored_tweet

TWEETS: Final = 300
SECRET: Final = "nobody may read this"


@pytest.fixture(scope="module")
def database(module_settings: Settings) -> Iterator[Connection]:
    """Two runs, dead letters and an alarm."""
    connection = connect_postgres(module_settings.postgres_connection, "test")
    letter = DeadLetter(
        run="archive",
        stage="score",
        reason=Reason.NOT_JSON,
        detail="not JSON",
        position=SourcePosition("tweets.raw", 0, 1),
        key=SECRET.encode(),
        value=SECRET.encode(),
        value_size_bytes=len(SECRET),
        value_sha256="0" * 64,
    )
    store(connection, [*some_tweets(TWEETS), *some_tweets(20, run="other")], [letter])
    keep(connection, raised())
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def service(
    module_settings: Settings, database: Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    assert database
    folder = tmp_path_factory.mktemp("serve")
    with serving(module_settings, folder, serve_rate="") as running:
        yield running


FROM: Final = (START + timedelta(hours=5)).isoformat()
LAST: Final = (START + timedelta(days=3)).isoformat()
TO: Final = (START + timedelta(days=2)).isoformat()
SAME: Final[dict[str, tuple[dict[str, Any], list[str]]]] = {
    "totals": ({"run": "archive"}, ["totals", "--run", "archive"]),
    "totals by default": ({}, ["totals"]),
    "totals of a rule": (
        {"run": "archive", "rule": RULES[0], "from": FROM, "to": TO},
        ["totals", "--run", "archive", "--rule", RULES[0], "--from", FROM, "--to", TO],
    ),
    "totals of labels": (
        {"run": "archive", "label": ["positive", "neutral"], "window": "90m"},
        "totals --run archive --label positive --label neutral --window 90m".split(),
    ),
    "runs": ({}, ["runs", "list"]),
    "alarms": ({}, ["alarms", "list"]),
    "data/quality": ({"run": "archive"}, ["data-quality", "--run", "archive"]),
    "why": (
        {"run": "archive", "from": TO, "to": LAST, "most": 3},
        ["why", "--run", "archive", "--from", TO, "--to", LAST, "--most", "3"],
    ),
    "models": ({}, ["models", "list"]),
    "jobs": ({}, ["retrain", "jobs"]),
}


def timeless(document: Any) -> Any:
    """Leave out when figures were read."""
    if isinstance(document, dict):
        return {name: timeless(value) for name, value in document.items() if name != "as_of"}
    return document


@pytest.mark.parametrize("case", SAME)
def test_figures_are_those_of_the_command(
    case: str, service: Service, module_settings: Settings
) -> None:
    query, arguments = SAME[case]
    answer = service.get(f"/{case.split(maxsplit=1)[0]}", params=query)
    assert answer.status_code == 200, answer.text
    assert timeless(answer.json()) == timeless(command(module_settings, *arguments, "--json"))


def test_series_hashtags_and_rules_are_parts_of_totals(service: Service) -> None:
    query = {"run": "archive", "from": FROM}
    figures = service.get("/totals", params=query).json()["aggregates"]
    assert figures["tweets"] > 100
    for path, name in (("series", "series"), ("hashtags", "hashtags"), ("rules", "rules")):
        found = service.get(f"/{path}", params=query).json()
        assert found[name] == figures[name]
        assert found["tweets"] == figures["tweets"]


def test_an_alarm_is_shown_as_the_command_shows_it(
    service: Service, module_settings: Settings
) -> None:
    key = alarm_key(OF, ALARM_START)
    shown = command(module_settings, "alarms", "show", key, "--json")
    assert service.get(f"/alarms/{key}").json() == shown
    assert service.get("/alarms/000000000000").status_code == 404


@pytest.mark.parametrize("form", ["jsonl", "csv", "ids"])
def test_an_export_is_that_of_the_command_to_the_byte(
    form: str, service: Service, database: Connection, module_settings: Settings, tmp_path: Any
) -> None:
    assert database
    path = tmp_path / "export"
    chosen = ["--ids-only"] if form == "ids" else ["--format", form]
    arguments = ["export", "--run", "archive", *chosen, "--output", str(path)]

    subprocess.run(
        [MURMUR, *arguments],
        env=process_environment(module_settings),
        check=True,
        capture_output=True,
        timeout=60,
    )
    answer = service.get("/export", params={"run": "archive", "format": form})
    assert answer.content == path.read_bytes()
    assert answer.content.count(b"\n") >= TWEETS


def test_exports_that_nobody_reads_to_their_end_hold_nothing_up(service: Service) -> None:
    for _ in range(5):
        with requests.get(
            f"{service.address}/export", params={"run": "archive"}, stream=True, timeout=60
        ) as answer:
            assert answer.status_code == 200
    assert service.get("/export", params={"run": "archive", "rule": RULES[0]}).ok


def pages(service: Service, **query: Any) -> Iterator[list[dict[str, Any]]]:
    cursor: str | None = None
    while True:
        answer = service.get("/tweets", params={**query, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        yield answer.json()["tweets"]
        cursor = answer.json()["next"]
        if cursor is None:
            return


def test_tweets_are_the_rows_of_an_export_page_by_page(service: Service) -> None:
    lines = service.get("/export", params={"run": "archive"}).text.splitlines()
    rows = {row["tweet_id"]: row for row in map(json.loads, lines)}
    found = [tweet for page in pages(service, run="archive", limit=37) for tweet in page]
    assert [tweet["tweet_id"] for tweet in found] == sorted(rows, reverse=True)
    assert all(rows[tweet["tweet_id"]] == tweet for tweet in found)


FILTERS: Final[dict[str, Any]] = {
    "rule": ({"rule": RULES[0]}, lambda row: RULES[0] in row["rules"]),
    "labels": (
        {"label": ["positive", "negative"]},
        lambda row: row["label"] in ("positive", "negative"),
    ),
    "time": (
        {"from": FROM, "to": TO},
        lambda row: FROM <= row["posted_at"].replace("Z", "+00:00") < TO,
    ),
    "words": ({"words": "A QUOTE"}, lambda row: "quote" in row["text"]),
    "signs": ({"words": "_%"}, lambda row: "_" in row["text"] and "%" in row["text"]),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filters_choose_tweets(case: str, service: Service) -> None:
    query, fits = FILTERS[case]
    every = [tweet for page in pages(service, run="archive", limit=200) for tweet in page]
    found = [tweet for page in pages(service, run="archive", limit=50, **query) for tweet in page]
    assert found == [tweet for tweet in every if fits(tweet)]


def test_pages_miss_and_repeat_nothing_while_tweets_come_and_go(
    service: Service, database: Connection
) -> None:
    first = some_tweets(60, run="moving")
    store(database, first)
    seen: list[str] = []
    for number, page in enumerate(pages(service, run="moving", limit=10)):
        seen += [tweet["tweet_id"] for tweet in page]
        # Above what was read one comes, and of what was read one goes.
        store(
            database,
            [
                scored_tweet(run="moving", tweet_id=str(99_000 + number)),
                deleted(seen[0], run="moving"),
            ],
        )
        assert service.get(f"/tweets/{seen[0]}", params={"run": "moving"}).status_code == 404
    assert seen == sorted((tweet.tweet_id for tweet in first), reverse=True)


def test_a_deleted_tweet_is_gone_from_every_answer_at_once(
    service: Service, database: Connection
) -> None:
    store(database, some_tweets(5, run="short"))
    assert service.get("/tweets/10001", params={"run": "short"}).json()["tweets"][0]["run"] == (
        "short"
    )
    store(database, [deleted("10001", run="short")])
    assert service.get("/tweets/10001", params={"run": "short"}).status_code == 404
    assert service.get("/totals", params={"run": "short"}).json()["aggregates"]["tweets"] == 4
    assert "10001" not in service.get("/export", params={"run": "short", "format": "ids"}).text
    found = service.get("/tweets", params={"run": "short"}).json()["tweets"]
    assert [tweet["tweet_id"] for tweet in found] == ["10004", "10003", "10002", "10000"]


def test_a_tweet_is_found_by_the_id_of_each_of_its_versions_and_in_each_run(
    service: Service, database: Connection
) -> None:
    edited = scored_tweet(
        run="edits",
        tweet_id="71",
        root_id="70",
        version=1,
        edit_history=("70", "71"),
        text="as corrected",
    )
    store(database, [edited, scored_tweet(run="edits-2", tweet_id="70")])
    assert [t["run"] for t in service.get("/tweets/70").json()["tweets"]] == ["edits", "edits-2"]
    (found,) = service.get("/tweets/71").json()["tweets"]
    assert found["text"] == "as corrected"


def test_dead_letters_are_told_without_what_they_hold(
    service: Service, module_settings: Settings
) -> None:
    answer = service.get("/dead-letters", params={"run": "archive"})
    found = answer.json()
    shown = command(module_settings, "dead-letters", "list", "--run", "archive", "--json")
    assert found["total"] == shown["total"] == 1
    (letter,) = found["dead_letters"]
    (whole,) = shown["dead_letters"]
    assert letter.items() <= whole.items()
    assert {"key", "value", "value_text", "headers"}.isdisjoint(letter)
    assert SECRET not in answer.text


LONG: Final = "x" * 5_000
HOSTILE: Final[dict[str, tuple[int, str]]] = {
    "a huge limit": (422, "/tweets?run=archive&limit=1000000"),
    "no number": (422, "/tweets?run=archive&limit=many"),
    "a negative limit": (422, "/dead-letters?limit=-1"),
    "a bad cursor": (422, "/tweets?run=archive&cursor=bm90aGluZw"),
    "no Base64": (422, "/tweets?run=archive&cursor=%C3%A4%C3%B6"),
    "a long cursor": (422, f"/tweets?run=archive&cursor={LONG}"),
    "NUL in a name": (400, "/totals?run=a%00b"),
    "NUL in a path": (400, "/tweets/a%00b"),
    "no UTF-8": (404, "/totals?run=%ff%fe"),
    "a lone surrogate": (404, "/totals?run=%ed%a0%80"),
    "a long name": (422, f"/totals?run={LONG}"),
    "a long path": (422, f"/tweets/{LONG}"),
    "many rules": (422, "/totals?run=archive" + "&rule=a" * 1_000),
    "an unknown run": (404, "/totals?run=nothing"),
    "an unknown run of tweets": (404, "/tweets?run=nothing"),
    "an unknown run of an export": (404, "/export?run=nothing"),
    "an unknown run of why": (404, "/why?run=nothing&from=2016-11-17&to=2016-11-18"),
    "an empty export": (404, "/export?run=archive&rule=unheard"),
    "a misspelt parameter": (422, "/totals?run=archive&rull=rain"),
    "no window": (422, "/totals?run=archive&window=tomorrow"),
    "a huge window": (422, "/totals?run=archive&window=9999999w"),
    "no time": (422, "/tweets?run=archive&from=yesterday"),
    "the end of time": (200, "/tweets?run=archive&to=9999-12-31T23:59:59Z"),
    "before time": (422, "/tweets?run=archive&from=0001-01-01T00:00:00%2B23:59"),
    "after time": (422, "/tweets?run=archive&to=9999-12-31T23:59:59-23:59"),
    "the end of time for why": (422, "/why?run=archive&from=0001-01-01&to=9999-12-31T23:59-23:59"),
    "a span that ends first": (422, "/export?run=archive&from=2016-11-18&to=2016-11-17"),
    "half a span": (422, "/why?run=archive&from=2016-11-17&to=2016-11-18&against_to=2016-11-16"),
    "six words": (422, "/tweets?run=archive&words=a+b+c+d+e+f"),
    "a huge number": (422, "/jobs/99999999999999999999"),
    "no job": (404, "/jobs/7"),
    "a short id": (422, "/alarms/0"),
    "SQL": (404, "/tweets/" + quote("'; DROP TABLE tweets; --")),
    "a window and a time": (422, "/totals?run=archive&window=1h&from=2016-11-17"),
    "seconds": (422, "/totals?run=archive&from=2016-11-17T10:00:01"),
    "no reason": (422, "/dead-letters?reason=sad"),
    "a large offset": (422, "/tweets?run=archive&offset=7"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_answered_is_a_problem_and_no_fault(case: str, service: Service) -> None:
    status, path = HOSTILE[case]
    answer = service.get(path)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status
    assert LONG not in answer.text


def test_every_call_refuses_a_parameter_that_it_does_not_know(service: Service) -> None:
    calls = service.get("/openapi.json").json()["paths"]
    asked = [
        re.sub(r"\{[^}]+\}", "1", path)
        for path, methods in calls.items()
        if "state" not in methods.get("get", {"tags": ["state"]})["tags"]
    ]
    assert {"/labels/queue", "/model/info", "/v2"} <= set(asked)
    for path in asked:
        assert service.get(f"{path}?rull=rain").status_code == 422, path
    assert service.post("/predict?rull=rain", json={"text": "fine"}).status_code == 422


def test_a_large_body_is_refused_wherever_it_is_sent(service: Service) -> None:
    for path in ("/predict", "/totals", "/v2"):
        answer = service.post(path, data=b"x" * 10_000_000)
        assert answer.status_code in (405, 413)


def test_without_postgres_figures_are_refused_and_predictions_are_not(
    module_settings: Settings, tmp_path: Any
) -> None:
    with serving(module_settings, tmp_path / "serve", postgres=SecretStr("")) as service:
        answer = service.get("/runs")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:murmur:problem:no-database"
        assert service.post("/predict", json={"text": "fine"}).ok
        machine = service.get("/page/machine")
        assert machine.status_code == 200
        assert "PostgreSQL does not answer" in machine.text
        assert "posts read this month" not in machine.text
    gone = SecretStr("postgresql://murmur:geheim@127.0.0.1:9/murmur")
    with serving(module_settings, tmp_path / "gone", postgres=gone) as service:
        # Whether there are keys is not known: nobody is let in.
        answer = service.post("/predict", json={"text": "fine"})
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:murmur:problem:keys-unknown"
        assert "geheim" not in service.log.read_text()
