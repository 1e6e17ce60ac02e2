"""What people say of answers: corrections, audits from the queue, the log, and a training."""

import asyncio
import base64
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psutil
import pytest
import requests

from deploy.client import AsyncClient, Client, RefusedByMurmur
from model_server.bundle import default_bundle
from model_server.http.batching import Answer
from model_server.http.problems import Refused
from model_server.prediction_log.log_store import delete_older
from model_server.scorer import Prediction
from retrain.evaluation.service.data_sets import LabelledTexts
from retrain.evaluation.service.evaluation_job import EvaluationJobs
from retrain.jobs.stored_labels import stored_labels
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.conditions import wait_until
from tests.integration.reading import some_tweets
from tests.integration.serving import Service, command, make_key, serving
from tests.integration.storing import store
from tests.unit.examples import model as identity

Key = dict[str, str]
RUN = "archive"


@pytest.fixture(scope="module")
def database(module_settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(module_settings.postgres_connection, "test")
    store(connection, some_tweets(40, run=RUN))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def keys(module_settings: Settings) -> dict[str, Key]:
    return {
        "ann": make_key(module_settings, "ann", "label", "predict"),
        "bob": make_key(module_settings, "bob", "label"),
        "head": make_key(module_settings, "head", "label", "operate"),
        "reader": make_key(module_settings, "reader", "read"),
        "asker": make_key(module_settings, "asker", "read", "predict"),
    }


@pytest.fixture(scope="module")
def service(
    module_settings: Settings,
    database: Connection,
    keys: dict[str, Key],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    assert database
    assert keys
    folder = tmp_path_factory.mktemp("serve")
    changes: dict[str, Any] = {"serve_log_days": 3, "retrain_run": RUN}
    with serving(module_settings, folder, **changes) as running:
        yield running


def say(service: Service, key: Key, **what: Any) -> requests.Response:
    return service.post("/feedback", json=what, headers=key)


def drawn(service: Service, key: Key, **query: Any) -> list[dict[str, Any]]:
    answer = service.get("/labels/queue", params={"run": RUN, "count": 6, **query}, headers=key)
    assert answer.status_code == 200, answer.text
    assert "probabilities" not in answer.text
    found: list[dict[str, Any]] = answer.json()["queue"]
    return found


def test_a_text_has_one_label_which_others_may_not_change(
    service: Service, keys: dict[str, Key], database: Connection
) -> None:
    first = say(service, keys["ann"], text="this board is sick", label="positive")
    assert first.json()["is_new"]
    again = say(service, keys["ann"], text="this  board is sick", label="positive")
    assert again.json() == {**first.json(), "is_new": False}
    assert say(service, keys["bob"], text="this board is sick", label="negative").status_code == 409
    assert say(service, keys["ann"], text="this board is sick", label="neutral").ok
    assert say(service, keys["head"], text="this board is sick", label="negative").ok
    (found,) = [each for each in stored_labels(database, RUN) if "board" in each.text]
    assert (found.label, found.origin) == ("negative", "correction")
    path = f"/feedback/texts/{first.json()['text_sha256']}"
    for who, status in (("bob", 409), ("head", 204), ("head", 404)):
        answer = requests.delete(f"{service.address}{path}", headers=keys[who], timeout=60)
        assert answer.status_code == status
    assert not any("board" in each.text for each in stored_labels(database, RUN))


def test_a_nul_is_replaced_in_a_text_and_refused_in_a_name(
    service: Service, keys: dict[str, Key], database: Connection
) -> None:
    assert say(service, keys["ann"], text="a nul \0 here", label="positive").ok
    assert any(each.text == "a nul \ufffd here" for each in stored_labels(database, RUN))
    for what in (
        {"run": "a\0b", "tweet_id": "1"},
        {"run": RUN, "tweet_id": "1\0"},
        {"prediction_id": "\0"},
        {"ticket": "\0"},
    ):
        answer = say(service, keys["ann"], **what, label="positive")
        assert answer.status_code in (404, 422), what
    begun = service.post("/evaluate", json={"data_set": "a\0"}, headers=keys["head"])
    assert begun.status_code == 422
    cursor = base64.urlsafe_b64encode(b"2026-11-28 \0").decode()
    for where, query in (("/recent_predictions", {"cursor": cursor}), ("/tweets", {"run": "\0"})):
        answer = service.get(where, params=query, headers={**keys["bob"]})
        assert 400 <= answer.status_code < 500, where


def test_a_correction_of_a_tweet_is_stored_as_the_commands_know_it(
    service: Service, keys: dict[str, Key], module_settings: Settings, database: Connection
) -> None:
    of_tweet = {"run": RUN, "tweet_id": "10003"}
    assert say(service, keys["ann"], **of_tweet, label="positive").json()["is_new"]
    assert not say(service, keys["ann"], **of_tweet, label="positive").json()["is_new"]
    assert say(service, keys["bob"], **of_tweet, label="negative").status_code == 409
    assert say(service, keys["head"], **of_tweet, label="negative").ok
    (found,) = [each for each in stored_labels(database, RUN) if each.root_id == "10003"]
    assert (found.label, found.origin) == ("negative", "correction")
    suspects = command(module_settings, "labels", "suspects", "--run", RUN, "--json")
    assert suspects["labelled"] >= 1
    assert say(service, keys["ann"], **of_tweet, label="purple").status_code == 422
    assert say(service, keys["ann"], run=RUN, tweet_id="9", label="positive").status_code == 404
    assert say(service, keys["ann"], run="none", tweet_id="9", label="positive").status_code == 404
    assert say(service, keys["ann"], label="positive").status_code == 422
    assert say(service, keys["ann"], **of_tweet, text="x", label="positive").status_code == 422


def test_a_stored_tweet_is_explained_by_its_id(
    service: Service, keys: dict[str, Key], module_settings: Settings
) -> None:
    refused = service.get("/tweets/10004/explanation", headers=keys["reader"])
    assert refused.status_code == 403
    answer = service.get("/tweets/10004/explanation", headers=keys["asker"])
    assert answer.status_code == 200, answer.text
    found = answer.json()
    words = found["explanation"]["words"]
    assert [found["text"][each["start"] : each["end"]] for each in words] == [
        each["text"] for each in words
    ]
    assert all(round(each["weight"], 6) == each["weight"] for each in words)
    own = module_settings.model_copy(update={"model": default_bundle()})
    assert command(own, "explain", "--tweet", "10004", "--json") == found["explanation"]
    missing = service.get("/tweets/9/explanation", headers=keys["asker"])
    assert missing.status_code == 404


def test_an_audit_needs_a_ticket_of_the_queue_drawn_for_the_same_labeller(
    service: Service, keys: dict[str, Key], module_settings: Settings
) -> None:
    queue = drawn(service, keys["ann"], audits_only=True)
    shown = command(
        module_settings, *f"labels queue --run {RUN} -n 6 --audits-only --json".split()
    )["queue"]
    assert [each["root_id"] for each in queue] == [each["root_id"] for each in shown]
    ticket = queue[0]["ticket"]
    given = say(service, keys["ann"], ticket=ticket, label="neutral").json()
    assert (given["origin"], given["root_id"]) == ("audit", queue[0]["root_id"])
    assert say(service, keys["bob"], ticket=ticket, label="neutral").status_code == 422
    forged = ticket[:-6] + "AAAAAA"
    assert say(service, keys["ann"], ticket=forged, label="neutral").status_code == 422
    assert queue[0]["root_id"] not in {
        each["root_id"] for each in drawn(service, keys["bob"], audits_only=True)
    }
    unsure = say(service, keys["ann"], ticket=queue[1]["ticket"], label=None).json()
    assert unsure["is_new"]
    assert not say(service, keys["ann"], ticket=queue[1]["ticket"], label=None).json()["is_new"]
    assert queue[1]["root_id"] not in {
        each["root_id"] for each in drawn(service, keys["ann"], audits_only=True)
    }
    second, unsure_too = drawn(service, keys["bob"], second_opinion=True)
    if second["root_id"] != queue[0]["root_id"]:
        second = unsure_too
    assert say(service, keys["bob"], ticket=second["ticket"], label="positive").ok
    found = command(module_settings, "labels", "agreement", "--run", RUN, "--json")
    assert found


def test_predictions_are_logged_where_asked_for_and_corrected_by_their_id(
    service: Service, keys: dict[str, Key], module_settings: Settings, database: Connection
) -> None:
    texts = ["what a lovely day", "a dreadful\0 day"]
    answer = service.post("/predict/batch", json={"texts": texts}, headers=keys["ann"]).json()
    ids = [each["prediction_id"] for each in answer["predictions"]]

    def recent(**query: Any) -> dict[str, Any]:
        found: dict[str, Any] = service.get(
            "/recent_predictions", params=query, headers=keys["bob"]
        ).json()
        return found

    wait_until(lambda: len(recent()["predictions"]) == 2, 60, "both in the log")
    (lovely,) = recent(label="positive", words="LOVELY", asked_by="ann")["predictions"]
    assert lovely["prediction_id"] == ids[0]
    assert lovely["label"] == answer["predictions"][0]["label"]
    assert recent(words="nothing")["predictions"] == []
    page = recent(limit=1)
    rest = recent(limit=1, cursor=page["next"])
    assert {each["prediction_id"] for each in page["predictions"] + rest["predictions"]} == set(ids)
    assert say(service, keys["bob"], prediction_id=ids[1], label="neutral").ok
    assert say(service, keys["bob"], prediction_id="1", label="neutral").status_code == 404
    with database, database.cursor() as cur:
        cur.execute(
            "UPDATE predictions SET asked_at = now() - interval '5 days' WHERE prediction_id = %s",
            (ids[0],),
        )
    delete_older(database, 6)
    assert _logged(database) == 2
    delete_older(database, 3)
    assert _logged(database) == 1
    # Switched off, the service deletes what it kept.
    with serving(module_settings, service.log.parent / "off") as off:
        wait_until(lambda: _logged(database) == 0, 60, "the log to be empty")
        answered = off.post("/predict", json={"text": "fine"}, headers=keys["ann"])
        assert "prediction_id" not in answered.json()
        refused = off.get("/recent_predictions", headers=keys["bob"])
        assert refused.json()["type"] == "urn:murmur:problem:not-logged"


def test_both_clients_give_typed_answers_and_refusals(
    service: Service, keys: dict[str, Key]
) -> None:
    bearer = {name: key["Authorization"].removeprefix("Bearer ") for name, key in keys.items()}
    texts = ["what a lovely day", "a dreadful day"] * 300
    with Client(service.address, bearer["ann"]) as client:
        one = client.predict(texts[0])
        assert (one.label, one.confidence) == ("positive", one.probabilities["positive"])
        parts = client.predict_batch(texts)
        assert [len(part.predictions) for part in parts] == [512, 88]
        assert parts[1].predictions[1].label == "negative"
        assert client.explain("a lovely day").words[1].text == "lovely"
        assert client.model_info().model == one.model
        assert client.feedback("positive", text="by the client").labeller == "ann"
        with pytest.raises(RefusedByMurmur) as refused:
            client.figures("/totals")
        assert refused.value.problem.status == 403
    with Client(service.address, bearer["reader"]) as reader:
        by_one = [tweet["tweet_id"] for tweet in reader.tweets(run=RUN, limit="7")]
        assert len(by_one) == 40

    async def asynchronously() -> None:
        async with AsyncClient(service.address, bearer["ann"]) as client:
            assert (await client.predict(texts[0])).probabilities == one.probabilities
            assert [len(p.predictions) for p in await client.predict_batch(texts)] == [512, 88]
            with pytest.raises(RefusedByMurmur):
                await client.figures("/totals")
        async with AsyncClient(service.address, bearer["reader"]) as client:
            found = [tweet["tweet_id"] async for tweet in client.tweets(run=RUN, limit="7")]
            assert found == by_one

    asyncio.run(asynchronously())


def test_a_training_is_decided_as_the_command_decides_it(
    service: Service, keys: dict[str, Key], module_settings: Settings
) -> None:
    asked = service.post("/retrain", json={"force": True}, headers=keys["head"])
    assert asked.status_code == 200, asked.text
    decided = asked.json()
    assert decided["job"] is None
    assert decided["decision"]["labels_missing"] > 0
    own = module_settings.model_copy(update={"retrain_run": RUN})
    shown = command(own, "retrain", "check", "--force", "--json", code=99)
    assert decided["decision"]["sentence"] in shown or shown == ""
    assert service.post("/retrain", json={}, headers=keys["ann"]).status_code == 403


def _logged(database: Connection) -> int:
    with database, database.cursor() as cur:
        cur.execute("SELECT count(*) FROM predictions")
        return int(cur.fetchall()[0][0])


def test_the_model_is_measured_on_audits_and_label_files_as_jobs(
    service: Service, keys: dict[str, Key], module_settings: Settings
) -> None:
    def evaluated(running: Service, **what: Any) -> dict[str, Any]:
        begun = running.post("/evaluate", json=what, headers=keys["head"])
        assert begun.status_code == 202, begun.text
        path = f"/evaluations/{begun.json()['number']}"

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = running.get(path, headers=keys["reader"]).json()
            return found if found["state"] != "running" else None

        return wait_until(ended, 60, "the evaluation to end")

    rows = ["text,label"]
    rows += ["what a lovely day,positive", "a dreadful day,negative", "a dreadful day,positive"]
    folder = service.log.parent / "labels"
    folder.mkdir()
    (folder / "days.csv").write_text("\n".join(rows) + "\n")
    refused = service.post("/evaluate", json={"data_set": "../days.csv"}, headers=keys["head"])
    assert refused.status_code == 404
    with serving(module_settings, folder / "serve", retrain_test=str(folder)) as running:
        found = evaluated(running, data_set="days.csv")
        assert found["state"] == "done", found
        assert (found["texts"], found["texts_done"]) == (3, 3)
        assert found["figures"]["figures"]["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
        labels = [each["label"] for each in found["figures"]["classes"]]
        at = found["figures"]["confusion"][labels.index("positive")]
        assert at[labels.index("negative")] == 1

        def shown() -> str:
            return running.get("/metrics", headers=keys["reader"]).text

        wait_until(lambda: 'model_accuracy{dataset="days.csv"' in shown(), 60, "the metrics")
        assert 'answer="negative",dataset="days.csv",label="positive"' in shown()
        assert running.get("/evaluations", headers=keys["reader"]).json()["evaluations"]
    audit = drawn(service, keys["ann"], audits_only=True)[0]
    assert say(service, keys["ann"], ticket=audit["ticket"], label="neutral").ok
    audits = evaluated(service, run=RUN)
    assert audits["state"] == "done"
    assert audits["texts"] >= 1
    assert audits["run"] == RUN
    drift = service.get("/drift", params={"run": RUN}, headers=keys["reader"])
    assert drift.json()["type"] == "urn:murmur:problem:not-there"


def test_no_text_and_no_key_stands_in_logs_metrics_errors_or_process_lists(
    service: Service, keys: dict[str, Key]
) -> None:
    marker = "xylophonezebra"
    wrong = "0123456789ab_" + "Q" * 43
    bearer = keys["ann"]["Authorization"].removeprefix("Bearer ")
    text = f"my {marker} is broken"
    answers = [
        service.post("/predict", json={"text": text}, headers=keys["ann"]),
        service.post("/predict/batch", json={"texts": [text, 7]}, headers=keys["ann"]),
        service.post("/predict", data=f'{{"text": "{marker}'.encode(), headers=keys["ann"]),
        service.post("/predict", json={"text": {marker: 1}}, headers=keys["ann"]),
        service.post("/predict", json={"text": text, "language": marker * 2}, headers=keys["ann"]),
        service.post("/explain", json={"text": text, "label": marker}, headers=keys["ann"]),
        service.post("/explain", json={"text": text, "method": marker}, headers=keys["ann"]),
        service.post("/v2/models/none/infer", data=marker.encode(), headers=keys["ann"]),
        say(service, keys["ann"], text=text, label=marker),
        say(service, keys["ann"], ticket=marker, label="positive"),
        say(service, keys["ann"], prediction_id=marker, label="positive"),
        service.get("/recent_predictions", params={"cursor": marker}, headers=keys["bob"]),
        service.get("/events", params={"kind": marker}, headers=keys["reader"]),
        service.get("/labels/queue", params={"run": RUN, "count": marker}, headers=keys["ann"]),
        service.post("/predict", json={"text": text}, headers={"Authorization": f"Bearer {wrong}"}),
    ]
    assert answers[0].ok
    assert not any(answer.ok for answer in answers[1:])
    logged = service.get("/recent_predictions", params={"words": marker}, headers=keys["bob"])
    assert logged.ok
    seen = {
        "errors": "".join(answer.text for answer in answers[1:]),
        "log": service.log.read_text(),
        "metrics": service.get("/metrics", headers=keys["reader"]).text,
        "processes": "".join(
            " ".join(process.info["cmdline"] or ())
            for process in psutil.process_iter(["cmdline"])
            if "serve" in (process.info["cmdline"] or ())
        ),
    }
    for where, content in seen.items():
        assert content, where
        for secret in (marker, bearer, bearer.partition("_")[2], wrong, "Q" * 43):
            assert secret not in content, f"{secret} stands in {where}"


def test_an_evaluation_that_waits_for_a_busy_model_says_that_it_is_at_work(
    database: Connection, module_settings: Settings
) -> None:
    noted: list[object] = []
    model = identity("waiting")
    data = LabelledTexts(data_set="texts", run=None, texts=["a day"], labels=["good"], left_out=0)

    async def busy(texts: Sequence[str]) -> Answer:
        with database, database.cursor() as cursor:
            cursor.execute("SELECT changed_at FROM evaluations ORDER BY evaluation_no DESC LIMIT 1")
            noted.extend(cursor.fetchall())
        if len(noted) < 4:
            raise Refused(503, "busy", "Busy.", "Wait.", {"Retry-After": "0"})
        return Answer([Prediction("good", 0.9, {"good": 0.9, "bad": 0.1}) for _ in texts], model)

    async def evaluated() -> None:
        ended = asyncio.Event()
        jobs = EvaluationJobs(
            lambda: closing(connect_postgres(module_settings.postgres_connection, "test")),
            busy,
            lambda: model,
            ended.set,
            told_every_s=0,
        )
        await jobs.begin(data, ("good", "bad"))
        await asyncio.wait_for(ended.wait(), 60)

    asyncio.run(evaluated())
    assert len(set(noted)) == len(noted) == 4
