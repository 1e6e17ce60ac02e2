"""Murmur's processes on servers of their own, with a fake X that posts all the time."""

import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from schemas.settings import Settings
from schemas.topics import RAW
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.monitoring import free_port
from tests.stack import MURMUR, process_environment
from tests.x_server.exchange import Exchange
from tests.x_server.server import FakeX

PROCESSES: Final = ("score", "sink", "watch", "stream")
_GOOD: Final = "cats make me so happy, what a lovely day {}"
_BAD: Final = "cats are awful, I hate this terrible mess {}"


class Installation:
    """Four processes, one fake X, and what may be done to them."""

    def __init__(self, settings: Settings, x: FakeX, folder: Path) -> None:
        self.settings = settings
        self.x = x
        self.ports = {name: free_port() for name in PROCESSES}
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._refuses = False
        self._cut = threading.Event()
        self._posts_a_second = 2.0
        self._text = _GOOD
        self._ended = threading.Event()
        x.director = self._direct
        state = load_state(Layout.of(settings.home))
        assert state is not None
        self._servers = Supervisor(state)

    @property
    def targets(self) -> dict[str, str]:
        """Where the processes are to be scraped."""
        return {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}

    def pages(self) -> dict[str, str]:
        """Return what each process says at /metrics."""
        return {name: self.page(name) for name in self.ports}

    def page(self, name: str) -> str:
        """Return what a process says at /metrics; `OSError` where it does not answer."""
        address = f"http://{self.targets[name]}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            page: bytes = answer.read()
        return page.decode()

    def start(self, name: str) -> None:
        """Start a process."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [MURMUR, name, "--probe-port", str(self.ports[name])],
                env=process_environment(self.settings),
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """Kill a process; nobody starts it again."""
        self._running[name].kill()
        self._running[name].wait()

    def supervise(self) -> None:
        """Start again what ended by itself, as a supervisor does."""
        for name, process in list(self._running.items()):
            if process.poll() is not None and process.returncode != -signal.SIGKILL:
                self.start(name)

    def stop_server(self, name: str) -> None:
        """Stop one of the servers."""
        self._servers.stop(name)

    def start_server(self, name: str) -> None:
        """Start it again."""
        self._servers.start(name)

    def disconnect(self) -> None:
        """End the connection in good order, as X does each night; the next connect goes well."""
        self._cut.set()

    def refuse(self, refuses: bool) -> None:
        """Have X end the connection and no longer take one, or take one again."""
        self._refuses = refuses

    def post(self, a_second: float, *, bad: bool = False) -> None:
        """Let people post so much from now on."""
        self._posts_a_second, self._text = a_second, _BAD if bad else _GOOD

    def poison(self, messages: int) -> None:
        """Publish what is no event."""
        producer = Producer(kafka_config(self.settings.kafka_connection, "poison"))
        topic = self.settings.names.topic(RAW)
        for number in range(messages):
            producer.produce(topic, key=str(number), value=b'{"type": "Nothing"')
            producer.poll(0)
        producer.flush(60)

    def release(self, most_s: float = 300) -> None:
        """Release the hold again and again, until what is waiting has been read."""

        def done() -> bool:
            self.murmur("dead-letters", "release")
            try:
                page = self.page("score")
            except OSError:
                return False
            lag = re.search(r"^murmur_score_lag_events (\S+)", page, re.M)
            return lag is not None and float(lag[1]) < 100

        wait_until(done, most_s, "the poison to be read")

    def murmur(self, *arguments: str) -> None:
        """Run a command."""
        environment = process_environment(self.settings)
        subprocess.run([MURMUR, *arguments], env=environment, check=True, capture_output=True)

    def sql(self, statement: str) -> None:
        """Run a statement in PostgreSQL."""
        connection = connect_postgres(self.settings.postgres_connection, "test")
        with connection, connection.cursor() as cur:
            cur.execute(statement)
        connection.close()

    def end(self) -> None:
        """Stop everything."""
        self._ended.set()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def keep_posting(self) -> None:
        """Post until the end, in a thread."""

        def run() -> None:
            number = 0
            while not self._ended.wait(1 / max(self._posts_a_second, 0.1)):
                if self._posts_a_second:
                    number += 1
                    self.x.post(self._text.format(number))
                self.supervise()

        threading.Thread(target=run, daemon=True).start()

    def _direct(self, exchange: Exchange) -> None:
        if self._refuses:
            exchange.reset()
            return
        exchange.accept()
        while not self._refuses and not self._cut.is_set():
            exchange.line(exchange.next_post())
        self._cut.clear()
        exchange.end()


@contextmanager
def running_installation(settings: Settings, x: FakeX, folder: Path) -> Iterator[Installation]:
    """Start it, wait until tweets are stored, and stop it afterwards."""
    x.corpus.add_rule("cats", "cats")
    made = Installation(settings, x, folder)
    with ExitStack() as stack:
        stack.callback(made.end)
        for name in PROCESSES:
            made.start(name)
        made.keep_posting()

        def stored() -> bool:
            connection = connect_postgres(settings.postgres_connection, "test")
            with connection, connection.cursor() as cur:
                cur.execute("SELECT count(*) FROM tweets WHERE run = 'live'")
                ((count,),) = cur.fetchall()
            connection.close()
            return bool(count)

        wait_until(stored, 120, "the first tweet to be stored")
        yield made


def load_average() -> float:
    """Return how many processes wanted a core in the last minute."""
    return os.getloadavg()[0]


def now_s() -> float:
    """Return the monotonic clock."""
    return time.monotonic()
