"""The demo, as a stranger runs it: the real command in an empty folder."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from deploy.demo.archive import sample_archive
from deploy.demo.manifest import Manifest
from deploy.demo.verification import verify
from deploy.embedded import stack
from schemas.transport.postgres import connect_postgres
from tests.stack import MURMUR

LINES = 600


class DemoHome:
    """A folder with a stack of its own, whatever servers the tests use."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._folder = folder
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("MURMUR_")}
        self._environment["MURMUR_HOME"] = str(self.home)

    def murmur(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command without a terminal; its standard error is shown where a test fails."""
        done = subprocess.run(
            [str(MURMUR), *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        print(done.stderr)  # noqa: T201
        return done


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHome]:
    at = DemoHome(tmp_path_factory.mktemp("demo"))
    try:
        yield at
    finally:
        stack.remove(at.home)


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return sample_archive(lines=LINES, file="sample.jsonl.gz").manifest


def test_a_demo_counts_in_postgres_what_its_manifest_says_and_leaves_nothing_running(
    demo_home: DemoHome, manifest: Manifest
) -> None:
    done = demo_home.murmur("demo", "--lines", str(LINES), "--json")
    assert done.returncode == 0
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["manifest"] == msgspec.to_builtins(manifest, str_keys=True)
    assert result["ok"] is True
    assert [check["found"] for check in result["checks"]] == [
        check["expected"] for check in result["checks"]
    ]
    assert result["totals"]["aggregates"]["tweets"] == manifest.rows
    # So few tweets an hour tell the watch nothing.
    assert result["alarm"] is None
    assert demo_home.murmur("status").returncode == 1


@pytest.fixture(scope="module")
def kept_up(demo_home: DemoHome) -> "subprocess.CompletedProcess[str]":
    """A demo whose stack runs on, with what it printed."""
    return demo_home.murmur("demo", "--lines", str(LINES), "--keep-up")


def test_a_second_demo_replaces_the_first_and_people_see_its_figures(
    demo_home: DemoHome, manifest: Manifest, kept_up: "subprocess.CompletedProcess[str]"
) -> None:
    done = kept_up
    assert done.returncode == 0
    assert "✗" not in done.stdout
    assert f"{LINES} lines" in done.stdout
    assert f"{manifest.rows:,} rows" in done.stdout
    assert "#" in done.stdout
    lines = [line.strip() for line in done.stdout.splitlines()]
    (address,) = [line for line in lines if line.endswith("/page")]
    assert f"{manifest.rows:,} tweets" in requests.get(address, timeout=60).text
    assert address in demo_home.murmur("status").stdout
    listed = json.loads(demo_home.murmur("runs", "list", "--json").stdout)["runs"]
    assert [(run["run"], run["tweets"]) for run in listed] == [("demo", manifest.rows)]
    (command,) = [line for line in done.stdout.splitlines() if " psql -c " in line]
    query = shlex.split(command)[-1]
    rows = demo_home.murmur("psql", "-qtA", "-c", query).stdout.splitlines()
    texts = {text for _, text, _ in (row.split("|") for row in rows)}
    assert len(texts) == len(rows) == 10


@pytest.mark.usefixtures("kept_up")
def test_a_row_that_is_missing_is_noticed(demo_home: DemoHome, manifest: Manifest) -> None:
    connection = connect_postgres(
        stack.settings_at(demo_home.home, None).postgres_connection, "test"
    )
    try:
        assert all(check.ok for check in verify(connection, "demo", manifest))
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM tweets WHERE run = 'demo' AND root_id = "
                "(SELECT min(root_id) FROM tweets WHERE run = 'demo')"
            )
        failed = [check.what for check in verify(connection, "demo", manifest) if not check.ok]
    finally:
        connection.close()
    assert failed == ["rows = posts − deleted posts", "rows by day of posting", "rows by language"]


def test_the_stack_stays_up_where_it_was_up_and_other_runs_are_not_replaced(
    demo_home: DemoHome,
) -> None:
    demo_home.murmur("up")
    first = demo_home.murmur("demo", "--lines", "200", "--run", "mine", "--json")
    assert (first.returncode, json.loads(first.stdout)["still_up"]) == (0, True)
    second = demo_home.murmur("demo", "--lines", "200", "--run", "mine", "--json")
    assert (second.returncode, second.stdout) == (1, "")
    assert "murmur runs delete mine" in second.stderr
    assert demo_home.murmur("status").returncode == 0
