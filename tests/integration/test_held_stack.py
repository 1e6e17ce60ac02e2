"""Starting a stack whose scoring is held: that is said, and not waited for."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.demo import run_demo
from deploy.embedded import stack as stacks
from schemas.failures import Failure
from stream_processors.circuit_breaker.release_hold import release
from tests.integration.test_hold import WINDOW, hold_by_hand


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        yield folder
    finally:
        stacks.remove(folder)


def test_the_command_that_releases_it_is_named_and_nobody_waits(home: Path) -> None:
    settings = stacks.up(home, env_file=None, servers_only=True)
    hold_by_hand(settings.model_copy(update={"hold_window": WINDOW}))
    said: list[str] = []
    stacks.up(home, env_file=None, say=said.append)
    assert any("`murmur dead-letters release`" in line for line in said)
    assert "waiting for score" not in said
    with pytest.raises(Failure, match="`murmur dead-letters release`"):
        run_demo(home, run="demo", lines=20, keep_up=True, console=Console())
    said.clear()
    assert release(settings.cluster)
    stacks.up(home, env_file=None, say=said.append)
    assert "waiting for score" in said
