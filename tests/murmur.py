"""The `murmur` command on a stack of its own, for tests that use it as a person does."""

import json
import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.stack import MURMUR

NOT_COMPARED = ("scored_at",)


class Murmur:
    """The command, run as a person does, on a stack of its own."""

    def __init__(self, settings: Settings) -> None:
        self.home = settings.home
        self._settings = settings
        self._environment = {**os.environ, "MURMUR_HOME": str(self.home)}

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command without waiting for it."""
        return subprocess.Popen(
            [MURMUR, *arguments],
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

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

    def lag(self) -> int | None:
        """Return the lag of both groups, or None where it cannot be asked."""
        status = self.status()
        return None if status["lag_fault"] else sum(entry["lag"] for entry in status["lag"])

    def export(self, run: str) -> list[dict[str, Any]]:
        """Return a run's export without its times."""
        lines = [json.loads(line) for line in self.run("export", "--run", run).splitlines()]
        return [{k: v for k, v in line.items() if k not in NOT_COMPARED} for line in lines]

    def totals(self, run: str) -> dict[str, Any]:
        """Return a run's totals without its name and their time."""
        aggregates = json.loads(self.run("totals", "--run", run, "--json"))["aggregates"]
        return {k: v for k, v in aggregates.items() if k not in ("run", "as_of")}

    def stored(self) -> int:
        """Return how many tweets PostgreSQL holds, of all runs."""
        with (
            closing(connect_postgres(self._settings.postgres_connection, "test")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT count(*) FROM tweets")
            (count,) = cursor.fetchone() or (0,)
            return int(count)

    def kill_workers(self, times: int, replay: subprocess.Popen[str]) -> None:
        """Kill each worker so often: at first in the middle of its work, then whatever it does."""
        for number in range(times):
            for name in ("score", "sink"):
                if number == 0:
                    self._wait_for_progress()
                    assert replay.poll() is None, "nothing is left to be interrupted"
                self.kill(name)

    def _wait_for_progress(self) -> None:
        before = self.stored()
        wait_until(lambda: self.stored() > before, 60, "some progress")

    def kill(self, name: str) -> None:
        """Kill a worker, and wait until its supervisor has started another."""

        def pid() -> int:
            return next(p["pid"] or 0 for p in self.status()["processes"] if p["name"] == name)

        before = wait_until(pid, 60, f"{name} to run")
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: pid() not in (0, before), 60, f"{name} to run again")
