"""The pages where people work, over real HTTP, as a browser without scripts uses them."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests
from msgspec.structs import replace

from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.integration.reading import some_tweets
from tests.integration.serving import Service, serving
from tests.integration.storing import store
from tests.integration.test_page import Seen
from tests.unit.examples import deleted

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
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def service(
    module_settings: Settings, database: Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    assert database
    with serving(module_settings, tmp_path_factory.mktemp("serve"), serve_rate="") as running:
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
