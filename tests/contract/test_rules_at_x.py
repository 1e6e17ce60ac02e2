"""`murmur rules` against a fake X: what is shown, what is changed, and that no rule is missed."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.web.operations import Operations
from producers.rules.remote_rules import RulesAtX
from producers.rules.rule_changes import PlanChanged, plan_rules
from producers.rules.rules_file import read_rules
from producers.x_account.client import XAsksToWait, patient, rules_client
from producers.x_account.http_adapter import XAdapter, XUnreachable
from schemas.failures import Failure
from schemas.settings import load_settings
from tests.conditions import wait_until
from tests.stack import MURMUR, process_environment
from tests.x_server.server import FakeX, fake_x

TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x(TOKEN) as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text("- {value: cats, tag: about cats}\n- {value: dogs, tag: about dogs}\n")
    return path


def at_x(x: FakeX) -> RulesAtX:
    adapter = XAdapter(x.address, SecretStr(x.token), timeout_s=2, silence_s=2)
    return RulesAtX(rules_client(adapter), patient(wait=lambda _seconds: None))


def environment(x: FakeX, token: str) -> dict[str, str]:
    own = {"x_api": x.address, "x_bearer_token": SecretStr(token)}
    return process_environment(load_settings(None).model_copy(update=own))


def run(x: FakeX, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [MURMUR, "rules", *arguments],
        env=environment(x, x.token),
        capture_output=True,
        check=False,
    )


def test_a_plan_changes_nothing_and_apply_makes_x_have_the_file(x: FakeX, file: Path) -> None:
    x.corpus.add_rule("cats", "old tag")
    x.corpus.add_rule("birds", "about birds")
    planned = run(x, "plan", file, "--json")
    assert planned.returncode == 1
    document = json.loads(planned.stdout)
    assert [rule["value"] for rule in document["added"]] == ["dogs"]
    assert [rule["tag"] for rule in document["retagged"]] == ["about cats"]
    assert [rule["value"] for rule in document["deleted"]] == ["birds"]
    assert {rule.value for rule in x.corpus.rules.values()} == {"cats", "birds"}
    assert run(x, "apply", file).returncode == 0
    assert sorted((rule.value, rule.tag) for rule in x.corpus.rules.values()) == [
        ("cats", "about cats"),
        ("dogs", "about dogs"),
    ]
    assert run(x, "plan", file).returncode == 0
    listed = json.loads(run(x, "list", "--json").stdout)["rules"]
    assert sorted(rule["value"] for rule in listed) == ["cats", "dogs"]


def operations(api: str) -> Operations:
    own = {"x_api": api, "x_bearer_token": SecretStr(TOKEN)}
    return Operations(load_settings(None).model_copy(update=own))


def test_a_plan_that_has_changed_since_it_was_shown_is_refused_and_nothing_is_applied(
    x: FakeX, file: Path
) -> None:
    x.corpus.add_rule("birds", "about birds")
    page = operations(x.address)
    shown = json.loads(run(x, "plan", file, "--json").stdout)["plan"]
    assert page.plan_rules(file.read_text()).fingerprint == shown
    # Somebody else has been there: the rule would be deleted, and nobody was shown that.
    x.corpus.add_rule("fish", "about fish")
    refused = run(x, "apply", file, "--plan", shown)
    assert refused.returncode == 1
    assert "the plan has changed" in refused.stderr.decode()
    for plan in (shown, ""):
        with pytest.raises(PlanChanged):
            page.apply_rules(file.read_text(), plan)
    assert {rule.value for rule in x.corpus.rules.values()} == {"birds", "fish"}
    page.apply_rules(file.read_text(), page.plan_rules(file.read_text()).fingerprint)
    assert {rule.value for rule in x.corpus.rules.values()} == {"cats", "dogs"}
    again = json.loads(run(x, "plan", file, "--json").stdout)["plan"]
    assert run(x, "apply", file, "--plan", again).returncode == 0


def test_the_page_waits_for_x_no_longer_than_seconds(x: FakeX) -> None:
    x.answers["/2/tweets/search/stream/rules"] = (429, b"{}")
    began_s = time.monotonic()
    with pytest.raises(XAsksToWait, match="X's rate limit is reached: try again in 60 s"):
        operations(x.address).rules_at_x()
    assert time.monotonic() - began_s < 30


def test_one_at_a_time_asks_x_for_the_page() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as executor:
        page = operations(f"http://127.0.0.1:{silent.getsockname()[1]}")
        first = executor.submit(page.rules_at_x)
        asking, _ = silent.accept()
        with pytest.raises(XAsksToWait, match="somebody else asks X"):
            page.rules_at_x()
        silent.close()
        asking.close()
        assert isinstance(first.exception(timeout=60), Failure)


def test_at_no_moment_a_kept_rule_is_missing(x: FakeX, file: Path) -> None:
    x.corpus.add_rule("cats", "old tag")
    rules, wanted = at_x(x), read_rules(file)
    x.corpus.rules_over_time.clear()
    rules.apply(wanted, plan_rules(wanted, rules.listed()))
    assert len(x.corpus.rules_over_time) == 5
    for held in x.corpus.rules_over_time:
        assert held & {"cats", "(cats)"}


def test_a_rule_that_x_refuses_is_named_and_nothing_is_changed(x: FakeX, tmp_path: Path) -> None:
    x.corpus.add_rule("birds", "about birds")
    path = tmp_path / "rules.yaml"
    path.write_text("- {value: cats, tag: a}\n- {value: '(dogs', tag: b}\n")
    for command in ("plan", "apply"):
        refused = run(x, command, path)
        assert refused.returncode == 1
        assert "'(dogs': missing ')' at the end" in refused.stderr.decode()
    assert [rule.value for rule in x.corpus.rules.values()] == ["birds"]


def test_a_wrong_token_is_one_line_that_does_not_show_it(x: FakeX, file: Path) -> None:
    x.token = "another"
    refused = subprocess.run(
        [MURMUR, "rules", "plan", file],
        env=environment(x, TOKEN),
        capture_output=True,
        check=False,
    )
    assert refused.returncode == 1
    (line,) = refused.stderr.decode().splitlines()
    assert "MURMUR_X_BEARER_TOKEN" in line
    assert TOKEN not in line


def test_x_that_is_away_is_asked_five_times_aloud_and_then_named(
    x: FakeX, caplog: pytest.LogCaptureFixture
) -> None:
    waits: list[float] = []
    adapter = XAdapter("http://127.0.0.1:9", SecretStr(x.token), timeout_s=1, silence_s=1)
    with pytest.raises(Failure, match="cannot be reached"):
        RulesAtX(rules_client(adapter), patient(wait=waits.append)).listed()
    assert waits == [5, 10, 20, 40]
    said = [record.getMessage() for record in caplog.records if "again in" in record.message]
    assert said[0] == (
        "X cannot be reached: 127.0.0.1:9: it refuses the connection: asking again in 5 s"
    )
    assert len(said) == len(waits)


@pytest.mark.parametrize(
    ("api", "says"),
    [
        ("https://x.invalid", "x.invalid: its name has no address here (DNS)"),
        ("http://127.0.0.1:9", "127.0.0.1:9: it refuses the connection"),
    ],
)
def test_within_ten_seconds_the_host_and_what_is_in_the_way_are_said(
    api: str, says: str, x: FakeX, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [MURMUR, "rules", "list"],
            env=environment(x, TOKEN) | {"MURMUR_X_API": api},
            stdout=errors,
            stderr=errors,
        )
    try:
        wait_until(lambda: says in log.read_text(), 10, says)
    finally:
        process.kill()
        process.wait(10)


def cause(api: str, timeout_s: float = 1) -> str:
    adapter = XAdapter(api, SecretStr(TOKEN), timeout_s=timeout_s, silence_s=1)
    with pytest.raises(XUnreachable) as unreachable:
        rules_client(adapter).get_rules()
    assert TOKEN not in str(unreachable.value)
    return unreachable.value.cause


def test_tls_a_proxy_and_silence_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert cause(f"http://127.0.0.1:{port}") == (
            f"127.0.0.1:{port}: connected, and no answer in time (timeout)"
        )
    with fake_x(TOKEN) as plain:
        assert cause(f"https://127.0.0.1:{plain.port}").startswith(
            f"127.0.0.1:{plain.port}: TLS fails ("
        )
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:9")
    assert cause("https://api.x.invalid") == (
        "api.x.invalid: the proxy 127.0.0.1:9 does not let it through (Connection refused)"
    )


def test_what_is_on_this_machine_is_asked_without_a_proxy_and_no_proxy_is_heeded(
    x: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert at_x(x).listed() == []
    monkeypatch.setenv("NO_PROXY", "x.invalid")
    assert "(DNS)" in cause("https://x.invalid")


def test_rules_that_x_leads_elsewhere_with_go_nowhere(x: FakeX, file: Path) -> None:
    with fake_x(TOKEN) as elsewhere:
        x.redirects["/2/tweets/search/stream/rules"] = elsewhere.address
        for command in ("plan", "apply"):
            refused = run(x, command, file)
            assert refused.returncode == 1
            assert "a redirect to 127.0.0.1, which is not followed" in refused.stderr.decode()
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, b'{"title":"Unauthorized","detail":"%s"}' % TOKEN.encode(), "Unauthorized: …"),
        (402, b'{"title":"CreditsDepleted","detail":"none left"}', "credit at X is used up"),
        (403, b'{"title":"Client Forbidden","detail":"\\u001b[2Jenroll"}', "\\x1b[2Jenroll"),
        (404, b"<html>", "X refuses with 404"),
        (200, b'{"errors":[{"title":"Internal Error"}]}', "errors alone: Internal Error"),
    ],
)
def test_what_x_says_is_said_and_an_answer_of_errors_alone_is_no_empty_list(
    status: int, body: bytes, says: str, x: FakeX, file: Path
) -> None:
    x.answers["/2/tweets/search/stream/rules"] = (status, body)
    refused = run(x, "plan", file)
    assert refused.returncode == 1
    assert refused.stdout == b""
    assert says in refused.stderr.decode()
    assert TOKEN not in refused.stderr.decode()


def test_rules_of_several_pages_are_listed_whole(x: FakeX) -> None:
    x.rules_page = 2
    for number in range(5):
        x.corpus.add_rule(f"word{number}", f"tag {number}")
    assert [rule.value for rule in at_x(x).listed()] == [f"word{number}" for number in range(5)]
