"""The pages where people work, over real HTTP, as a browser without scripts uses them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import requests
from click.testing import CliRunner
from msgspec.structs import replace

from model_server.bundle import default_bundle
from retrain.drift.alarm import AlarmId
from retrain.jobs.job_store import (
    JobState,
    StageOutput,
    create_job,
    end_job,
    enter_stage,
    find_job,
    finish_stage,
    take_up,
)
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote
from retrain.promotion.promotions import promotions
from retrain.span_report.cli import report
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
from tests.integration.test_page import Seen
from tests.keyword_bundle import keyword_bundle
from tests.unit.examples import deleted, scored_tweet
from tests.watched import count_hours

RUN: Final = "archive"
TWEETS: Final = [
    replace(tweet, text=f"{tweet.text} number{number}")
    for number, tweet in enumerate(some_tweets(200, RUN))
]
_STORED: Final = (
    "SELECT root_id, label, origin, answer_seen, repeat FROM labels WHERE run = %s"
    " ORDER BY labelled_at"
)


@pytest.fixture(scope="module")
def database(module_settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(module_settings.postgres_connection, "test")
    store(connection, TWEETS)
    count_hours(connection, RUN, START, [20] * 4)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def service(
    module_settings: Settings, database: Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    assert database
    changes = {"serve_rate": "", "serve_log_days": 3}
    with serving(module_settings, tmp_path_factory.mktemp("serve"), **changes) as running:
        yield running


def stored(connection: Connection, run: str = RUN) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(_STORED, (run,))
        return cursor.fetchall()


class Form:
    """The form of a page, as a browser would send it."""

    def __init__(self, service: Service, path: str) -> None:
        self.service = service
        self.seen = Seen(service.get(path).text)
        self.path = path

    @property
    def fields(self) -> dict[str, str]:
        return {
            str(field["name"]): str(field.get("value") or "")
            for field in self.seen.all("input")
            if field.get("type") == "hidden"
        }

    def send(self, action: str | None = None, **more: str) -> requests.Response:
        answer = self.service.post(
            action or self.path.partition("?")[0],
            data={**self.fields, **more},
            headers={"Origin": self.service.address},
        )
        self.seen = Seen(answer.text)
        return answer


def test_labels_are_given_taken_back_and_skipped_by_forms_alone(
    service: Service, database: Connection
) -> None:
    form = Form(service, f"/page/labels?run={RUN}")
    first = form.fields["tweet"]
    assert "1 of 50" in form.seen.text
    assert "confidence" not in form.seen.text.lower(), "the model's answer is hidden"
    assert form.send(label="negative").status_code == 200
    assert stored(database) == [(first, "negative", "audit", False, 0)]
    second = form.fields["tweet"]
    assert second != first
    form.send(do="undo")
    assert stored(database) == []
    assert form.fields["tweet"] == first
    form.send(do="skip")
    form.send(do="unsure")
    assert [(root, label) for root, label, *_ in stored(database)] == [(second, None)]
    form.send(do="undo")
    form.send(do="undo")


def test_an_answer_that_is_sent_twice_or_to_another_tweet_changes_nothing(
    service: Service, database: Connection
) -> None:
    form = Form(service, f"/page/labels?run={RUN}&kind=audits")
    old = form.fields
    form.send(label="positive")
    again = form.service.post(
        "/page/labels",
        data={**old, "label": "negative"},
        headers={"Origin": service.address, "HX-Request": "true"},
    )
    assert "answered, edited or deleted meanwhile" in Seen(again.text).text
    assert [(root, label) for root, label, *_ in stored(database)] == [(old["tweet"], "positive")]
    assert "<html" not in again.text, "a script gets the desk alone"
    refused = form.send(label="furious")
    assert refused.status_code == 422
    form = Form(service, f"/page/labels?run={RUN}&kind=audits")
    store(database, [deleted(form.fields["tweet"], run=RUN)])
    gone = form.fields["tweet"]
    form.send(label="positive")
    assert gone not in {root for root, *_ in stored(database)}
    form.send(do="undo")
    assert stored(database) == []


def test_a_correction_is_locked_once_it_is_given_and_taken_back_by_its_giver(
    service: Service, database: Connection
) -> None:
    tweet = TWEETS[7]
    form = Form(service, f"/page/labels/correct?run={RUN}&tweet={tweet.root_id}")
    assert "The model says" in form.seen.text
    assert {"positive", "negative", "neutral"} <= set(form.seen.text.split())
    form.send(label="neutral")
    assert stored(database) == [(tweet.root_id, "neutral", "correction", True, 0)]
    assert "Corrected by" in form.seen.text
    assert not form.seen.all("select"), "it is locked"
    assert form.send(label="negative").status_code >= 400
    assert [label for _, label, *_ in stored(database)] == ["neutral"]
    Form(service, f"/page/labels/correct?run={RUN}&tweet={tweet.root_id}").send(do="undo")
    assert stored(database) == []
    assert service.get(f"/page/labels/correct?run={RUN}&tweet=12").status_code == 404


def test_a_text_of_ones_own_is_corrected_and_locked_and_taken_back(
    service: Service, database: Connection
) -> None:
    form = Form(service, "/page/try")
    text = "this board\nis so sick"
    form.send(text=text)
    answered = service.post("/predict", json={"text": text}).json()["label"]
    label = next(each for each in ("negative", "positive") if each != answered)
    assert form.fields["text"] == text
    form.send("/page/labels/tried/text", label=label)
    assert "Corrected by" in form.seen.text
    assert f"for {answered}" in form.seen.text, "the answer is shown again"
    other = form.send("/page/labels/tried/text", label=answered)
    assert (other.status_code, "Take that back first" in other.text) == (409, True)
    assert said_of_texts(database) == [(text, label)]
    form = Form(service, "/page/try")
    form.send(text=text)
    assert "Corrected by" in form.seen.text
    form.send("/page/labels/tried/text", do="undo")
    assert "Corrected by" not in form.seen.text
    assert said_of_texts(database) == []
    assert form.send("/page/labels/tried/text", label="glad").status_code == 422
    assert form.send("/page/labels/tried/text", label=label, text=" ").status_code == 422


def said_of_texts(connection: Connection) -> list[tuple[str, str]]:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT text, label FROM text_labels ORDER BY labelled_at")
        return cursor.fetchall()


def test_recent_predictions_are_filtered_and_corrected_in_their_table(
    service: Service, database: Connection
) -> None:
    texts = [f"what a wonderful day, I love it, number{number}" for number in range(23)]
    answers = service.post("/predict/batch", json={"texts": texts}).json()["predictions"]
    answered = answers[-1]["label"]

    def table(address: str = f"/page/try?label={answered}") -> Seen:
        return Seen(service.get(address).text)

    def pages() -> list[Seen]:
        first = table()
        following = next((a["href"] for a in first.all("a") if a.get("rel") == "next"), None)
        return [first, table(str(following))] if following else [first]

    def shown() -> str:
        return " ".join(seen.text for seen in pages())

    wait_until(lambda: texts[-1] in shown(), 60, "the log to be written")
    whole = pages()
    # Those of one request stand in any order.
    assert len(whole) == 2
    assert all(text in shown() for text in texts[:3])
    first = next(seen for seen in whole if texts[-1] in seen.text)
    assert f"{100 * answers[-1]['confidence']:.1f}%" in first.text
    other = next(each for each in ("negative", "neutral", "positive") if each != answered)
    assert texts[-1] not in table(f"/page/try?label={other}").text
    selects = sum(len(seen.all("select")) for seen in whole)
    sent = {"prediction": answers[-1]["prediction_id"], "of_label": answered, "label": other}
    own = {"Origin": service.address}
    done = service.post("/page/labels/tried/prediction", data=sent, headers=own)
    assert urlsplit(done.url).query == f"label={answered}"
    assert sum(len(seen.all("select")) for seen in pages()) == selects - 1, "it is locked"
    assert said_of_texts(database) == [(texts[-1], other)]
    again = service.post(
        "/page/labels/tried/prediction", data={**sent, "label": answered}, headers=own
    )
    assert again.status_code == 409
    service.post("/page/labels/tried/prediction", data={**sent, "do": "undo"}, headers=own)
    assert said_of_texts(database) == []
    assert service.get("/page/try?cursor=bm90aGluZw").status_code == 422


def is_said(service: Service, page: str, words: str) -> bool:
    return words in service.get(page).text


def test_an_alarm_is_seen_by_somebody_and_that_is_taken_back(
    service: Service, database: Connection
) -> None:
    of = AlarmId(RUN, "weather", Signal.LABEL_SHARE, "negative")
    keep(database, raised(START + timedelta(hours=12), of))
    form = Form(service, f"/page/alarms?run={RUN}&open=on")
    assert "negative share of rule weather" in form.seen.text
    form.send("/page/alarms/seen", note="a strike", do="acknowledge")
    assert re.search(r"seen by \w+ *, 20\d\d-.*UTC *: *a strike", form.seen.text)
    (alarm,) = service.get("/alarms", params={"run": RUN}).json()["alarms"]
    assert alarm["acknowledged_note"] == "a strike"
    for page in (f"/page?run={RUN}&live=off", f"/page/model?run={RUN}"):
        wait_until(partial(is_said, service, page, "seen by"), 60, page)
    form.send("/page/alarms/seen", do="undo")
    assert "seen by" not in form.seen.text
    (alarm,) = service.get("/alarms", params={"run": RUN}).json()["alarms"]
    assert alarm["acknowledged_at"] is None


def asked(service: Service, path: str) -> Seen:
    answer = service.get(path)
    assert answer.status_code == 200, answer.text
    return Seen(answer.text)


def test_a_promotion_is_taken_back_after_a_question(
    service: Service, database: Connection, tmp_path: Path
) -> None:
    shelf = BundleShelf(str(tmp_path / "shelf"))
    other = keyword_bundle(
        tmp_path / "other", {"good": "positive", "bad": "negative"}, name="other"
    )
    promote(
        database,
        shelf,
        other.folder,
        served_before=default_bundle,
        because="it passed",
        now=datetime.now(UTC),
    )
    page = asked(service, f"/page/model?run={RUN}")
    assert "it passed" in page.text
    assert any("/page/model/act/rollback" in str(a.get("href")) for a in page.all("a"))
    form = Form(service, "/page/model/act/rollback")
    assert "Serves now other" in form.seen.text
    assert len(promotions(database)) == 2, "a question changes nothing"
    done = form.send(because="it was not better")
    assert done.status_code == 200
    last = promotions(database)[0]
    assert last.event.decision == "it was not better"
    assert last.event.champion.name != "other"
    assert last.published_at is not None, "the processes that serve are told"
    assert "it was not better" in form.seen.text


def test_a_training_shows_its_stages_and_what_the_gate_said(
    service: Service, database: Connection
) -> None:
    number = create_job(database, run=RUN, spec={}, decision=None)
    take_up(database, holder="here", lease=timedelta(hours=1))
    rules = [{"name": "enough audits", "passed": False, "sentence": "3 audits are too few"}]
    verdict = {"passed": False, "rules": rules, "audits": 3, "audits_missing": 7}
    for stage, output in (
        ("validate", {}),
        ("evaluate", {"verdict": {**verdict, "differing_ids": []}}),
    ):
        enter_stage(database, number, holder="here", stage=stage)
        result = StageOutput(inputs_sha256="0" * 64, output=output)
        finish_stage(database, number, holder="here", stage=stage, result=result)
    page = asked(service, f"/page/model/jobs/{number}")
    assert "3 audits are too few" in page.text
    assert "The gate was not passed" in page.text
    assert any(each.get("hx-trigger") == "every 5s" for _, each in page.elements), "it is live"
    Form(service, f"/page/model/act/cancel?job={number}").send()
    assert find_job(database, number).cancel_asked
    end_job(database, number, holder="here", state=JobState.CANCELLED, detail="cancelled")
    page = asked(service, f"/page/model?run={RUN}")
    assert "cancelled" in page.text
    assert "Not judged: 3 of 3 windows had fewer than 50 tweets." in page.text


def test_the_machine_shows_lag_and_letters_and_gives_letters_up_with_a_note(
    service: Service, database: Connection
) -> None:
    with database, database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dead_letters (run, stage, reason, detail, source, source_partition,"
            " source_offset, source_timestamp_ms, value_size_bytes, value_sha256, headers)"
            " VALUES (%s, 'replay', 'not-json', 'no', 'file:a', 0, 1, 0, 0, %s, '[]')",
            (RUN, "0" * 64),
        )
        cursor.execute(
            "INSERT INTO stream_gaps (from_at, to_at, reason) VALUES"
            " (now() - interval '2 hours', now() - interval '1 hour', 'stall')"
        )
    page = asked(service, "/page/machine")
    assert "one waits for a decision" in page.text
    assert "stall" in page.text
    assert "tweets.raw" in page.text or "Kafka does not tell" in page.text
    which = f"run={RUN}&stage=replay&reason=not-json"
    question = Form(service, f"/page/machine/act/redrive?{which}")
    assert "it is a line of a file" in question.seen.text
    question = Form(service, f"/page/machine/act/discard?{which}")
    assert "1: archive, replay, not-json" in question.seen.text
    question.send(because="test data")
    with database, database.cursor() as cursor:
        cursor.execute("SELECT status, note FROM dead_letters")
        assert cursor.fetchall() == [("discarded", "test data")]
    assert service.get("/page/machine/act/dance").status_code == 404


def test_the_report_of_the_page_is_that_of_the_command(
    service: Service, module_settings: Settings, tmp_path: Path
) -> None:
    answer = service.get(f"/page/report/file?run={RUN}&window=1d&rule=weather")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="murmur-archive')
    file = tmp_path / "report.html"
    command_report = CliRunner(env={"MURMUR_POSTGRES": module_settings.postgres_uri}).invoke(
        report, ["--run", RUN, "--rule", "weather", "--last", "1d", "--output", str(file)]
    )
    assert command_report.exit_code == 0, command_report.output
    assert file.read_text(encoding="utf-8") == answer.text
    seen = Seen(answer.text)
    assert "archive, weather" in seen.text
    assert "Method and limits" in seen.text
    assert not any(
        "http" in str(attrs.get("href") or attrs.get("src")) for _, attrs in seen.elements
    )
    assert TWEETS[0].text not in answer.text
    assert "Download the report" in asked(service, f"/page/report?run={RUN}").text


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    "path",
    [
        "/page/labels?run=hostile",
        "/page/labels/correct?run=hostile&tweet=900003",
        "/page/model?run=hostile",
        "/page/model/quality?run=hostile",
        "/page/machine",
        "/page/report?run=hostile",
    ],
)
def test_nothing_hostile_gets_out_of_its_text(service: Service, path: str) -> None:
    seen = asked(service, path)
    for tag, attrs in seen.elements:
        assert tag not in ("style", "base", "iframe", "object", "embed", "plaintext")
        assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
        for name in ("href", "action", "hx-get", "hx-post"):
            address = attrs.get(name) or ""
            assert not address or address.startswith(("/page", "#")), (tag, address)
    assert len(seen.all("h1")) == 1


@pytest.mark.usefixtures("hostile")
def test_a_hostile_report_is_text_alone(service: Service) -> None:
    answer = service.get("/page/report/file?run=hostile&window=all")
    assert answer.status_code == 200
    seen = Seen(answer.text)
    assert not {"script", "img", "iframe", "a"} & {tag for tag, _ in seen.elements}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", answer.text)


@pytest.fixture(scope="module")
def hostile(database: Connection) -> None:
    texts = hostile_texts()
    store(
        database,
        [
            scored_tweet(
                "negative",
                run="hostile",
                tweet_id=str(900_000 + number),
                posted_at=START + timedelta(hours=number),
                text=text,
                hashtags=(text[:100],),
                rules=(MatchedRule(tag=text[:100]),),
            )
            for number, text in enumerate(texts)
        ],
    )


def test_who_may_not_operate_is_shown_no_act_and_refused(
    service: Service, module_settings: Settings
) -> None:
    """The last one: from the first key on, everybody needs one."""
    key = make_key(module_settings, "reader", "read")["Authorization"].partition(" ")[2]
    cookies = {"murmur_key": key}
    wait_until(lambda: service.get("/page").status_code == 401, 60, "the key to be known")
    page = service.get(f"/page/model?run={RUN}", cookies=cookies)
    assert page.status_code == 200
    assert "/act/" not in page.text
    assert "/act/" not in service.get("/page/machine", cookies=cookies).text
    assert service.get("/page/alarms", cookies=cookies).status_code == 200
    assert "/page/alarms/seen" not in service.get("/page/alarms", cookies=cookies).text
    own = {"Origin": service.address}
    for path in ("/page/alarms/seen", "/page/labels/tried/text", "/page/labels/tried/prediction"):
        assert service.post(path, cookies=cookies, headers=own).status_code == 403
    for path in ("/page/model/act/rollback", "/page/machine/act/release", "/page/labels"):
        assert service.get(path, cookies=cookies).status_code == 403
        assert service.post(path, cookies=cookies, headers=own).status_code == 403
