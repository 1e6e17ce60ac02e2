"""`murmur stream` in a process of its own, against a fake X."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from schemas.events import TweetPosted
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.integration.replay_runs import raw_events
from tests.stack import MURMUR, process_environment
from tests.x_server.server import FakeX

TOKEN = "AAAAtokenThatNobodyMaySee0123456789"


def settings_for(x: FakeX, settings: Settings, folder: Path) -> Settings:
    """Return settings with which a process speaks to a fake X."""
    return settings.model_copy(
        update={
            "x_api": x.address,
            "x_bearer_token": SecretStr(x.token),
            "x_spill": folder / "spill",
            "log_level": "DEBUG",
        }
    )


class StreamProcess:
    """A running `murmur stream`; its output and command line are kept for a search."""

    def __init__(self, settings: Settings, folder: Path, *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"stream-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [MURMUR, "stream", "--probe-port", "0", "--json", *arguments],
                env=process_environment(settings),
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.command_line = Path(f"/proc/{self.process.pid}/cmdline")
        self.seen: list[str] = []

    @property
    def probes(self) -> str:
        """The address of the probes, once the process has said it."""

        def said() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            found = re.search(r"probes at (http://[0-9.:]+)", self.log.read_text())
            return found[1] if found else None

        return wait_until(said, 60, "the probes' address")

    def page(self, path: str) -> str:
        """Return a page of the probes, whatever its status."""
        try:
            with urllib.request.urlopen(self.probes + path, timeout=30) as answer:
                page = answer.read().decode()
        except urllib.error.HTTPError as error:
            page = error.read().decode()
        self.seen.append(page)
        return str(page)

    def stop(self) -> dict[str, object]:
        """Stop it as a supervisor does; return what it printed."""
        if self.command_line.exists():
            self.seen.append(self.command_line.read_text(errors="replace"))
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=20)
        self.seen.append(out.decode())
        assert self.process.returncode == 0, self.log.read_text()
        printed: dict[str, object] = json.loads(out)
        return printed


@contextmanager
def streaming(settings: Settings, folder: Path, *arguments: str) -> Iterator[StreamProcess]:
    """Run a stream; it does not outlive the block."""
    stream = StreamProcess(settings, folder, *arguments)
    try:
        yield stream
    finally:
        stream.process.kill()
        stream.process.communicate(timeout=10)


def published(settings: Settings, run: str = "live") -> dict[str, TweetPosted]:
    """Return the posts of a run that are in `tweets.raw`, by id."""
    return {
        event.tweet_id: event
        for event in raw_events(settings)
        if isinstance(event, TweetPosted) and event.run == run
    }


def rows(settings: Settings, statement: str) -> list[Any]:
    """Ask PostgreSQL."""
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()
