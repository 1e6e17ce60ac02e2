"""The webhook: signed, sent once, tried again, given up; off unless somebody sets it."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from retrain.drift.alarms.standard_webhooks import signed_headers, signing_key
from retrain.drift.alarms.webhook import MOST_ATTEMPTS, WebhookSender, wait_s
from schemas.failures import Failure
from schemas.setting_views import AlarmWebhook
from schemas.settings import MissingSetting, Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.conditions import wait_until
from tests.integration.test_alarms import HOUR, OF, START, ended, keep, raised

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW_S = 1_764_300_000


class Receiver:
    """A real HTTP server that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append({"path": self.path, "headers": headers, "body": body})
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                del arguments

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def messages(self) -> list[str]:
        return [found["headers"]["webhook-id"] for found in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def settings(settings: Settings, receiver: Receiver) -> Settings:
    return settings.model_copy(
        update={
            "alarm_webhook_url": SecretStr(receiver.url),
            "alarm_webhook_secret": SecretStr(SECRET),
        }
    )


def sender_of(settings: Settings) -> WebhookSender:
    webhook = settings.alarm_webhook
    assert webhook is not None
    return WebhookSender(
        webhook,
        lambda: connect_postgres(settings.postgres_connection, "test"),
        clock=lambda: NOW_S,
        jitter=lambda: 0.0,
    )


@pytest.fixture
def sender(settings: Settings) -> Iterator[WebhookSender]:
    with closing(sender_of(settings)) as found:
        found.step()
        yield found


def verified(headers: dict[str, str], body: bytes, secret: str, now_s: int) -> bool:
    """Verify a message as the specification says that receivers do."""
    if abs(now_s - int(headers["webhook-timestamp"])) > 300:
        return False
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    signatures = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(
        version == "v1" and hmac.compare_digest(signature, expected)
        for version, signature in signatures
    )


def make_due(connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alarm_deliveries SET next_attempt_at = now()")


def deliveries(connection: Connection) -> list[tuple[str, int, bool, bool, str]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT event, attempts, finished_at IS NOT NULL, delivered, fault"
            " FROM alarm_deliveries ORDER BY event DESC"
        )
        return cursor.fetchall()


def test_the_specifications_example_is_signed_as_it_says() -> None:
    body = b'{"test": 2432232314}'
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, signing_key(SecretStr(SECRET))
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_verified_and_comes_once(
    connection: Connection, settings: Settings, sender: WebhookSender, receiver: Receiver
) -> None:
    keep(connection, raised())
    assert sender.step() == 1
    assert sender.step() == 0
    with closing(sender_of(settings)) as restarted:
        assert restarted.step() == 0
    keep(connection, ended(START + HOUR))
    assert sender.step() == 1
    first, second = receiver.got
    assert first["headers"]["content-type"] == "application/json"
    assert all(verified(one["headers"], one["body"], SECRET, NOW_S) for one in receiver.got)
    assert not verified(first["headers"], first["body"] + b" ", SECRET, NOW_S)
    assert not verified(first["headers"], first["body"], SECRET, NOW_S + 600)
    message = json.loads(first["body"])
    assert message["type"] == "alarm.raised"
    assert message["data"]["meaning"] == "the world has moved"
    assert message["data"]["sentence"].startswith("the world has moved: negative share of rule")
    assert json.loads(second["body"])["type"] == "alarm.ended"
    assert deliveries(connection) == [("raised", 1, True, True, ""), ("ended", 1, True, True, "")]


def test_a_failure_is_tried_again_with_the_same_id_and_then_given_up(
    connection: Connection, sender: WebhookSender, receiver: Receiver
) -> None:
    receiver.status = 500
    keep(connection, raised(), ended(START + HOUR))
    assert sender.step() == 1
    assert sender.step() == 0
    for _ in range(MOST_ATTEMPTS - 1):
        make_due(connection)
        sender.step()
    assert len(set(receiver.messages()[:MOST_ATTEMPTS])) == 1
    assert deliveries(connection)[0] == ("raised", MOST_ATTEMPTS, True, False, "HTTP 500")


def test_an_end_waits_for_its_beginning(
    connection: Connection, sender: WebhookSender, receiver: Receiver
) -> None:
    receiver.status = 503
    keep(connection, raised(), ended(START + HOUR))
    sender.step()
    receiver.status = 200
    make_due(connection)
    assert sender.step() == 2
    assert [name.split("-")[1] for name in receiver.messages()] == ["raised", "raised", "ended"]


def test_a_redirect_is_not_followed(
    connection: Connection, sender: WebhookSender, receiver: Receiver
) -> None:
    receiver.status, receiver.headers = 307, {"location": f"{receiver.url}/elsewhere"}
    keep(connection, raised())
    sender.step()
    assert [found["path"] for found in receiver.got] == ["/hook"]
    assert deliveries(connection) == [("raised", 1, False, False, "HTTP 307")]


def test_a_receiver_that_is_gone_is_asked_no_more(
    connection: Connection, sender: WebhookSender, receiver: Receiver
) -> None:
    receiver.status = 410
    keep(connection, raised())
    sender.step()
    assert deliveries(connection) == [("raised", 1, True, False, "HTTP 410")]


def test_an_address_that_nobody_answers_at_is_tried_again_and_not_named(
    connection: Connection, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = settings.model_copy(
        update={"alarm_webhook_url": SecretStr("http://127.0.0.1:1/hidden-token")}
    )
    with closing(sender_of(nobody)) as sender:
        sender.step()
        keep(connection, raised())
        sender.step()
    assert deliveries(connection) == [("raised", 1, False, False, "ConnectionError")]
    assert "hidden-token" not in caplog.text


def test_what_was_raised_before_the_address_was_set_is_not_sent(
    connection: Connection, settings: Settings, receiver: Receiver
) -> None:
    keep(connection, raised())
    with closing(sender_of(settings)) as sender:
        assert sender.step() == 0
        keep(connection, ended(START + HOUR))
        assert sender.step() == 0
    assert receiver.got == []


def test_one_step_sends_a_few_at_most(
    connection: Connection, sender: WebhookSender, receiver: Receiver
) -> None:
    of = [type(OF)(OF.run, f"rule {number}", OF.signal, OF.subject) for number in range(12)]
    keep(connection, *(raised(START, one) for one in of))
    assert [sender.step() for _ in range(4)] == [5, 5, 2, 0]
    assert len(set(receiver.messages())) == 12


def test_a_thread_sends_until_it_is_stopped(
    connection: Connection, settings: Settings, receiver: Receiver
) -> None:
    with closing(sender_of(settings)) as sender:
        sender.step()
    keep(connection, raised())
    stop = threading.Event()
    thread = threading.Thread(target=sender_of(settings).run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: receiver.got, 60, "a message")
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert len(receiver.got) == 1


def test_waits_grow_to_six_hours_and_most_of_a_day_in_all() -> None:
    waits = [wait_s(attempt, 0.0) for attempt in range(1, MOST_ATTEMPTS)]
    assert waits[:3] == [5, 20, 80]
    assert max(waits) == 6 * 3600
    assert 19 <= sum(waits) / 3600 <= 25
    assert wait_s(1, 1.0) == 6


@pytest.mark.parametrize("secret", ["plain", "whsec_", "whsec_%%%", "whsec_c2hvcnQ="])
def test_a_secret_that_signs_nothing_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(Failure, match="must be whsec_") as caught:
        signing_key(SecretStr(secret))
    assert secret == "whsec_" or secret not in str(caught.value)


def test_it_is_off_by_default_and_never_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(_env_file=None).alarm_webhook is None  # type: ignore[call-arg]
    monkeypatch.setenv("MURMUR_ALARM_WEBHOOK_URL", "https://example.com/hidden-token")
    unsigned = Settings(_env_file=None)  # type: ignore[call-arg]
    with pytest.raises(MissingSetting, match="MURMUR_ALARM_WEBHOOK_SECRET"):
        assert unsigned.alarm_webhook
    monkeypatch.setenv("MURMUR_ALARM_WEBHOOK_SECRET", SECRET)
    webhook = Settings(_env_file=None).alarm_webhook  # type: ignore[call-arg]
    assert isinstance(webhook, AlarmWebhook)
    assert "hidden-token" not in repr(webhook)
    assert SECRET not in repr(webhook)


@pytest.mark.parametrize("url", ["ftp://example.com", "https://", "example.com", "file:///etc"])
def test_only_addresses_of_the_web_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MURMUR_ALARM_WEBHOOK_URL", url)
    with pytest.raises(ValidationError, match="begins with https:// or http://"):
        Settings(_env_file=None)  # type: ignore[call-arg]
