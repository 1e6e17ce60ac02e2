"""The walk of a tweet's text from where it comes in to the SQL that stores it, by tracing."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from schemas.settings import Settings
from tests.conditions import wait_until
from tests.integration.live_stream import published as published_events
from tests.integration.live_stream import rows, settings_for
from tests.stack import process_environment
from tests.walk.tracing import Traced
from tests.x_server.server import fake_x

MARK: Final = "walkingword"
TEXT: Final = f"A {MARK} for @somebody &amp; all, naïve ☕: #coffee https://example.com/a#b"
"""With all that is looked for in a text."""

ARCHIVED: Final = {
    "data": {
        "id": "1590000000000000001",
        "text": TEXT,
        "author_id": "7001",
        "created_at": "2022-11-08T15:15:15.428Z",
        "lang": "en",
        "edit_history_tweet_ids": ["1590000000000000001"],
        "conversation_id": "1590000000000000001",
        "possibly_sensitive": False,
    },
    "includes": {"users": [{"id": "7001", "username": "somebody", "name": "A"}]},
}
_TIMEOUT_S: Final = 120


class Walk(msgspec.Struct, frozen=True):
    """Whom a text met in the process that published it, in scoring and in the sink."""

    name: str
    published: Traced
    scored: Traced
    stored: Traced

    @property
    def functions(self) -> set[str]:
        """All of them, each once."""
        stages = (self.published, self.scored, self.stored)
        return {function for stage in stages for function in stage.functions}

    @property
    def files(self) -> set[str]:
        """The files that they stand in."""
        return {function.split(":")[0] for function in self.functions}


class _Process:
    """A traced command."""

    def __init__(
        self, settings: Settings, folder: Path, begin: str, command: str, *arguments: object
    ) -> None:
        self._result = folder / f"{command}.json"
        self._log = folder / f"{command}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.walk.tracing", self._result, MARK, begin),
                    *("murmur", command, *map(str, arguments)),
                ],
                env=process_environment(settings),
                cwd=Path(__file__).parents[2],
                stdout=log,
                stderr=log,
            )

    def has_failed(self) -> bool:
        """Tell whether it has ended with an error."""
        return bool(self.process.poll())

    def log(self) -> str:
        """Return what it said."""
        return self._log.read_text()

    def traced(self) -> Traced:
        """Wait for its end, and return what was found."""
        code = self.process.wait(_TIMEOUT_S)
        if code:
            raise RuntimeError(f"exit {code}: {self.log()}")
        return msgspec.json.decode(self._result.read_bytes(), type=Traced)

    def stopped(self) -> Traced:
        """Stop it as a supervisor does, and return what was found."""
        self.process.send_signal(signal.SIGTERM)
        return self.traced()


def walks(settings: Settings, folder: Path) -> list[Walk]:
    """Send one tweet of an archive, then one of the live stream, through traced processes.

    `settings` has empty topics and tables. Takes about half a minute.
    """
    archive = folder / "archive.jsonl"
    archive.write_bytes(msgspec.json.encode(ARCHIVED) + b"\n")
    replayed = ("replay", archive, "--run", "archived", "--json")
    with _processing(settings, folder, "archived") as archived:
        published = _Process(settings, folder, "replay_files", *replayed).traced()
    with _processing(settings, folder, "live") as live, fake_x("a-token") as x:
        x.corpus.add_rule(MARK, "followed")
        to_x = settings_for(x, settings, folder)
        stream = _Process(to_x, folder, "StreamConnection.on_data", "stream", "--probe-port", "0")
        try:
            wait_until(lambda: x.connected, _TIMEOUT_S, "a connection to the stream")
            x.post(TEXT)
            wait_until(lambda: published_events(settings, "live"), _TIMEOUT_S, "the live tweet")
            streamed = stream.stopped()
        finally:
            stream.process.kill()
            stream.process.wait()
    return [Walk("archived", published, *archived), Walk("live", streamed, *live)]


@contextmanager
def _processing(settings: Settings, folder: Path, run: str) -> Iterator[list[Traced]]:
    """Run scoring and the sink around the block, which publishes the one tweet of a run.

    Afterwards that is stored, and the list has what both processes found.
    """
    folder = folder / run
    folder.mkdir()
    processes = [
        _Process(settings, folder, "-", command, "--probe-port", "0")
        for command in ("score", "sink")
    ]
    found: list[Traced] = []

    def stored() -> bool:
        for each in processes:
            assert not each.has_failed(), each.log()
        return bool(rows(settings, f"SELECT 1 FROM tweets WHERE run = '{run}'"))  # noqa: S608

    try:
        yield found
        wait_until(stored, _TIMEOUT_S, f"the tweet of run {run} to be stored")
        found += [each.stopped() for each in processes]
    finally:
        for each in processes:
            each.process.kill()
            each.process.wait()
