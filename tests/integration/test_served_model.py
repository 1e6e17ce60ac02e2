"""The model that serves is to be seen, and no start changes it without a word."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.embedded import stack as stacks
from deploy.embedded.layout import Layout
from deploy.embedded.served_model import in_short
from deploy.embedded.server_programs import PROGRAM_OF
from deploy.embedded.stack_state import load_state
from deploy.embedded.status import status
from deploy.embedded.supervision import Supervisor
from model_server.bundle import identity_of
from schemas.transport.postgres import connect_postgres
from tests.integration.storing import store
from tests.keyword_bundle import keyword_bundle
from tests.stack import MURMUR
from tests.unit.examples import model, scored_tweet

WORDS = {"rain": "negative", "sun": "positive"}
HOSTILE = "mood\x1b]0;owned\x07"


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        yield folder
    finally:
        stacks.remove(folder)


def murmur(home: Path, bundle: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [MURMUR, *arguments],
        env={**os.environ, "MURMUR_HOME": str(home), "MURMUR_MODEL": str(bundle)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def running_servers(home: Path) -> dict[str, int]:
    state = load_state(Layout.of(home))
    assert state is not None
    pids = {name: found.pid for name, found in Supervisor(state).states().items()}
    return {name: pids[name] for name in PROGRAM_OF.values()}


def answer(home: Path, bundle: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(murmur(home, bundle, "status", "--json").stdout)
    return document


def test_the_model_that_serves_is_shown_and_a_change_is_said(home: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    first = keyword_bundle(bundle, WORDS, name=HOSTILE).identity
    started = murmur(home, bundle, "up")
    assert started.returncode == 0, started.stderr
    assert "the model changes" not in started.stderr
    assert f"model     {in_short(first)}  score" in started.stdout.splitlines()
    assert "\x1b" not in started.stdout
    document = answer(home, bundle)
    assert document["models"]["score"] == msgspec.to_builtins(first)
    assert document["chosen_model"] == msgspec.to_builtins(first)

    # Trained again, into the same folder: the setting is the same, the model is not.
    shutil.rmtree(bundle)
    second = keyword_bundle(bundle, WORDS | {"snow": "neutral"}).identity
    shown = murmur(home, bundle, "status")
    assert shown.returncode == 0
    warning = f"{in_short(second)} should serve, but score serves {in_short(first)}"
    assert warning in shown.stdout
    changed = murmur(home, bundle, "up")
    said = f"the model changes from {in_short(first)} to {in_short(second)}"
    assert said in changed.stderr.splitlines()
    assert answer(home, bundle)["models"]["score"] == msgspec.to_builtins(second)
    assert "the model changes" not in murmur(home, bundle, "up").stderr
    shutil.rmtree(bundle)
    lost = murmur(home, bundle, "status")
    assert (lost.returncode, "is not a model bundle" in lost.stdout) == (1, True)


def test_a_stack_that_remembers_no_model_asks_its_tables(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = identity_of(Path("fast"))
    monkeypatch.setenv("MURMUR_MODEL", "default")
    settings = stacks.up(home, env_file=None, servers_only=True)
    servers = running_servers(home)
    monkeypatch.setenv("MURMUR_MODEL", "fast")
    connection = connect_postgres(settings.postgres_connection, "test")
    store(connection, [scored_tweet(by="earlier")])
    connection.close()
    said: list[str] = []
    stacks.up(home, env_file=None, say=said.append)
    change = f"the model changes from {in_short(model('earlier'))} to {in_short(chosen)}"
    assert change in said
    assert dict(status(home, env_file=None).models) == {"score": chosen}
    # Another model is the workers' concern: nobody waits for servers that start anew.
    assert running_servers(home) == servers
    state = load_state(Layout.of(home))
    assert state is not None
    assert state.model == chosen
