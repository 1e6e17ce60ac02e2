"""The whole stack under its supervisor, its workers killed: the same figures as without."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.archive import sample_archive
from deploy.embedded import stack
from tests.conditions import wait_until
from tests.kills import OFTEN
from tests.murmur import Murmur

LINES, RATE, KILLS = (12_000, 500, 2) if OFTEN else (3_000, 120, 1)


@pytest.fixture(scope="module")
def murmur() -> Iterator[Murmur]:
    home = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        yield Murmur(stack.up(home, env_file=None))
    finally:
        stack.remove(home)


def test_workers_killed_during_a_replay_change_no_figure(murmur: Murmur, tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    sample = sample_archive(lines=LINES)
    archive.write_bytes(sample.content)

    # The run with kills comes first: in the other one the worker remembers many of the scores.
    for run, kills in (("killed", KILLS), ("calm", 0)):
        slowly = ("--rate", str(RATE)) if kills else ()
        replay = murmur.start("replay", archive, "--run", run, "--json", *slowly)
        murmur.kill_workers(kills, replay)
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
        "kafka",
        "console-consumer",
        "--topic",
        "tweets.scored",
        "--group",
        "my-dashboard",
        "--from-beginning",
        "--max-messages",
        "3",
        "--timeout-ms",
        "30000",
    )
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert len(events) == 3
    assert {event["run"] for event in events} <= {"calm", "killed"}
