"""A step of `make ops-check`, and what the steps share."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from tests.ops_check.live_stack import LiveStack, live_stack

REPOSITORY: Final = Path(__file__).parents[2]
NODE_MODULES: Final = REPOSITORY / "build" / "ops" / "node_modules"
NODE_PACKAGES: Final = (
    "npm install --prefix build/ops @asyncapi/parser@3.6.3 kafkajs@2.2.4 lz4js@0.2.0"
)


class MissingTool(Exception):
    """This machine lacks what a step needs; `install` says how to get it."""

    def __init__(self, tool: str, install: str) -> None:
        super().__init__(f"{tool} is missing: {install}")


class StepFailed(Exception):
    """What was checked is wrong; the text says what."""


@dataclass
class Shared:
    """A folder and a running stack, made when the first step asks; gone after the last."""

    stack: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def folder(self) -> Path:
        """A folder that is removed afterwards."""
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="murmur-ops-")))

    @cached_property
    def live(self) -> LiveStack:
        """Servers, processes, tweets of a live stream and of a replay, and a Prometheus."""
        need("prometheus", "apt-get install --no-install-recommends prometheus")
        return self.stack.enter_context(live_stack(self.folder))


@dataclass(frozen=True)
class Step:
    """`run` returns what it has seen, in a few words, or raises one of the above."""

    name: str
    run: Callable[[Shared], str]


def need(tool: str, install: str) -> str:
    """Return a tool's path, or raise `MissingTool`."""
    path = shutil.which(tool)
    if path is None:
        raise MissingTool(tool, install)
    return path


def need_node_package(package: str) -> None:
    """Raise `MissingTool` unless Node and the package are there."""
    need("node", "https://nodejs.org, 20 or later")
    if not (NODE_MODULES / package).is_dir():
        raise MissingTool(package, NODE_PACKAGES)


def output_of(
    command: Sequence[str | Path], *, text: str | None = None, timeout_s: float = 300
) -> str:
    """Run a command in the repository and return all it says; `StepFailed` where it fails."""
    ran = subprocess.run(
        command,
        cwd=REPOSITORY,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if ran.returncode != 0:
        raise StepFailed(f"{' '.join(map(str, command))}: exit {ran.returncode}\n{ran.stdout}")
    return ran.stdout
