"""The examples for schedulers call commands that there are."""

import re
from pathlib import Path

import click
import pytest

from deploy.cli import murmur

EXAMPLES = (
    "murmur_airflow.py",
    "murmur_prefect.py",
    "murmur-retrain.service",
    "retrain-cronjob.yaml",
)
CALLS = re.compile(r"(?:murmur |murmur\(\"|[ ,] *f?\")(retrain|totals|alarms)(?:\", \"| )(\w+)?")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_command_of_an_example_exists(name: str, repository: Path) -> None:
    text = (repository / "deploy" / "schedules" / name).read_text()
    called = CALLS.findall(text)
    assert ("retrain", "check") in called
    assert ("retrain", "run") in called
    context = click.Context(murmur)
    for first, second in called:
        command = murmur.get_command(context, first)
        assert command is not None
        if isinstance(command, click.Group):
            assert second in command.list_commands(context)


def test_nothing_to_do_is_no_failure_anywhere(repository: Path) -> None:
    folder = repository / "deploy" / "schedules"
    assert all("99" in (folder / name).read_text() for name in EXAMPLES)
