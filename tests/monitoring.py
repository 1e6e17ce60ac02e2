"""A real Prometheus and Alertmanager on the loopback, and whoever they tell."""

import random
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from deploy.embedded.ports import candidate_ports, is_free_port
from deploy.observability.prometheus_config import prometheus_config
from tests.conditions import wait_until

INSTALL: Final = (
    "on Debian: apt-get install --no-install-recommends prometheus prometheus-alertmanager;"
    " elsewhere: the archives of prometheus.io/download"
)
_ALERTMANAGERS: Final = ("alertmanager", "prometheus-alertmanager")


def missing_tools() -> list[str]:
    """Return what this machine lacks of Prometheus and Alertmanager."""
    named = {name: shutil.which(name) for name in ("prometheus", "promtool", "amtool")}
    named["alertmanager"] = next(filter(None, map(shutil.which, _ALERTMANAGERS)), None)
    return [name for name, path in named.items() if path is None]


def free_port() -> int:
    """Return a port that nobody listens at."""
    return next(port for port in candidate_ports(random.Random()) if is_free_port(port))


@dataclass(frozen=True)
class Told:
    """What a receiver was told of one alert. `at_s` is of the monotonic clock."""

    at_s: float
    receiver: str
    alert: str
    status: str
    labels: Mapping[str, str]


@dataclass
class Webhook:
    """Takes what Alertmanager sends, and keeps it in its order."""

    port: int = 0
    told: list[Told] = field(default_factory=list)

    def first(self, alert: str, status: str, since_s: float) -> Told | None:
        """Return the first message of this kind after a moment."""
        return next(
            (
                told
                for told in list(self.told)
                if told.alert == alert and told.status == status and told.at_s >= since_s
            ),
            None,
        )


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Listen while the block runs."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
            for alert in body["alerts"]:
                hook.told.append(
                    Told(
                        time.monotonic(),
                        self.path.strip("/"),
                        alert["labels"]["alertname"],
                        alert["status"],
                        alert["labels"],
                    )
                )
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parent's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


class Prometheus:
    """A running one, asked over its API."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def query(self, expr: str) -> list[Any]:
        """Return the series of an instant query; `AssertionError` with what is wrong with it."""
        address = f"{self.address}/api/v1/query?{urllib.parse.urlencode({'query': expr})}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                document = msgspec.json.decode(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expr}: {error.read().decode()}") from error
        result: list[Any] = document["data"]["result"]
        return result

    def alerts(self) -> list[Any]:
        """Return the alerts that fire, or will if what they see lasts."""
        with urllib.request.urlopen(f"{self.address}/api/v1/alerts", timeout=30) as answer:
            found: list[Any] = msgspec.json.decode(answer.read())["data"]["alerts"]
        return found


@contextmanager
def running_prometheus(
    folder: Path,
    targets: Mapping[str, str],
    *,
    rules: Path,
    every: str = "1s",
    alertmanager: str = "127.0.0.1:1",
) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes these targets and knows the rules of a folder."""
    port = free_port()
    config = prometheus_config(
        targets, rules=str(rules / "*.yml"), alertmanager=alertmanager, every=every
    )
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    command = [
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with running_process(command, folder / "prometheus.log"):
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/-/ready"), 60, "Prometheus")
        yield Prometheus(port)


@contextmanager
def running_alertmanager(folder: Path, config: Path, hook: Webhook) -> Iterator[str]:
    """Run an Alertmanager with the repository's routes, which tells the webhook; yield its address.

    Only the receivers' address and the waits for others of a group are changed.
    """
    own: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))
    for receiver in own["receivers"]:
        receiver["webhook_configs"] = [{"url": f"http://127.0.0.1:{hook.port}/{receiver['name']}"}]
    own["route"] |= {"group_wait": "2s", "group_interval": "2s"}
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(own))
    port = free_port()
    binary = next(name for name in _ALERTMANAGERS if shutil.which(name))
    command = [
        binary,
        f"--config.file={file}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running_process(command, folder / "alertmanager.log"):
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/-/ready"), 60, "Alertmanager")
        yield f"127.0.0.1:{port}"


@contextmanager
def running_process(command: list[str], log: Path) -> Iterator[None]:
    """Run a program beside the block, with all that it says in a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
