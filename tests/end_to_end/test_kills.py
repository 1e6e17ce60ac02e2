"""The whole stack under its supervisor, its workers killed: the same figures as without."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.archive import sample_archive
from deploy.embedded import stack
from tests.conditions import wait_until
from tests.stack import MURMUR

LINES = 3_000
KILLS = 2
NOT_COMPARED = ("scored_at",)


class Murmur:
    """The command, run as a person does, on a stack of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment = {**os.environ, "MURMUR_HOME": str(home)}

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command without waiting for it."""
        return subprocess.Popen(
            [MURMUR, *arguments], env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str | Path) -> str:
        """Run a command that must succeed, and return what it printed."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return output

    def status(self) -> dict[str, Any]:
        """Return what `murmur status --json` says."""
        status: dict[str, Any] = json.loads(self.run("status", "--json"))
        return status

    def lag(self) -> int:
        """Return the lag of both groups; what cannot be asked counts as some."""
        status = self.status()
        return 1 if status["lag_fault"] else sum(entry["lag"] for entry in status["lag"])

    def export(self, run: str) -> list[dict[str, Any]]:
        """Return a run's export without its times."""
        lines = [json.loads(line) for line in self.run("export", "--run", run).splitlines()]
        return [{k: v for k, v in line.items() if k not in NOT_COMPARED} for line in lines]

    def totals(self, run: str) -> dict[str, Any]:
        """Return a run's totals without its name and their time."""
        aggregates = json.loads(self.run("totals", "--run", run, "--json"))["aggregates"]
        return {k: v for k, v in aggregates.items() if k not in ("run", "as_of")}

    def kill(self, name: str) -> None:
        """Kill a worker, and wait until its supervisor has started another."""

        def pid() -> int:
            return next(p["pid"] or 0 for p in self.status()["processes"] if p["name"] == name)

        before = wait_until(pid, 30, f"{name} to run")
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: pid() not in (0, before), 30, f"{name} to run again")


@pytest.fixture(scope="module")
def murmur() -> Iterator[Murmur]:
    home = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        stack.up(home, env_file=None)
        yield Murmur(home)
    finally:
        stack.remove(home)


def test_workers_killed_during_a_replay_change_no_figure(murmur: Murmur, tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    sample = sample_archive(lines=LINES)
    archive.write_bytes(sample.content)

    for run, kills in (("calm", 0), ("killed", KILLS)):
        replay = murmur.start("replay", archive, "--run", run, "--rate", "800", "--json")
        for _ in range(kills):
            murmur.kill("score")
            murmur.kill("sink")
        output, errors = replay.communicate(timeout=120)
        assert replay.returncode == 0, errors
        assert (
            sum(json.loads(output)["files"][0]["dead_letters"].values())
            == sample.manifest.dead_letters
        )
        wait_until(lambda: murmur.lag() == 0, 120, f"run {run} to be stored")

    calm, killed = murmur.export("calm"), murmur.export("killed")
    assert len(calm) == sample.manifest.rows
    assert killed == calm
    assert murmur.totals("killed") == murmur.totals("calm")


def test_the_console_consumer_reads_scored_tweets_as_the_readme_says(murmur: Murmur) -> None:
    output = murmur.run(
        "kafka", "console-consumer", "--topic", "tweets.scored", "--group", "my-dashboard",
        "--from-beginning", "--max-messages", "3", "--timeout-ms", "30000",
    )  # fmt: skip
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert len(events) == 3
    assert {event["run"] for event in events} <= {"calm", "killed"}
