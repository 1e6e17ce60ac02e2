"""`murmur rules` against a fake X: what is shown, what is changed, and that no rule is missed."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from producers.rules.planning import plan_rules
from producers.rules.remote_rules import RulesAtX
from producers.rules.rules_file import read_rules
from producers.x_account.client import patient, rules_client
from producers.x_account.http_adapter import XAdapter
from schemas.failures import Failure
from schemas.settings import load_settings
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
    assert said[0] == "X cannot be reached (ConnectionError): asking again in 5 s"
    assert len(said) == len(waits)
