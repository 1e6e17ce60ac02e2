"""Murmur's processes on servers of their own, with a fake X that posts all the time."""

import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from model_server.bundle import default_bundle
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote, roll_back
from retrain.promotion.promotions import publish_waiting
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED, RAW, SCORE_GROUP
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.monitoring import free_port
from tests.stack import MURMUR, process_environment
from tests.torture.small_disk import mounted_disk
from tests.torture.swaps import renamed_bundle
from tests.x_server.exchange import Exchange
from tests.x_server.server import FakeX

PROCESSES: Final = ("score", "sink", "watch", "stream")
GOOD: Final = "cats make me so happy, what a lovely day {}"
BAD: Final = "cats are awful, I hate this terrible mess {}"
UNSURE: Final = "cats are not bad but not good {}"
_DISK_MB: Final = 64
_AGAIN_AFTER_S: Final = 5.0


class Installation:
    """Four processes, one fake X, and what may be done to them."""

    def __init__(self, settings: Settings, x: FakeX, folder: Path) -> None:
        self.settings = settings
        self.x = x
        self._disk = folder / "disk"
        self._shelf = BundleShelf(str(folder / "shelf"))
        self._lock: Connection | None = None
        self.ports = {name: free_port() for name in PROCESSES}
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started_s: dict[str, float] = {}
        self._refuses = False
        self._cut = threading.Event()
        self._posts_a_second = 2.0
        self._text = GOOD
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

    def start(self, name: str, **settings: str) -> None:
        """Start a process; `settings` are variables that it has beside the usual ones."""
        self._started_s[name] = now_s()
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [MURMUR, name, "--probe-port", str(self.ports[name])],
                env={**self._environment, **settings},
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """Kill a process; nobody starts it again."""
        self._running[name].kill()
        self._running[name].wait()

    def supervise(self) -> None:
        """Start again what ended by itself, as a supervisor does, not too often."""
        for name, process in list(self._running.items()):
            ended = process.poll() is not None and process.returncode != -signal.SIGKILL
            if ended and now_s() - self._started_s.get(name, 0.0) > _AGAIN_AFTER_S:
                self.start(name)

    def restart(self, name: str, *, times: int = 1, lives_s: float = 0.0, **settings: str) -> None:
        """Kill a process and start it again, each time once it has answered for so long."""
        for _ in range(times):
            self.kill(name)
            self.start(name, **settings)
            wait_until(lambda: self._answers(name), 120, f"{name} to answer")
            answered_s = now_s()
            while now_s() - answered_s < lives_s:
                self._ended.wait(0.1)

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

    def post(self, a_second: float, *, bad: bool = False, text: str = "") -> None:
        """Let people post so much, and what, from now on."""
        self._posts_a_second, self._text = a_second, text or (BAD if bad else GOOD)

    def lock_tweets(self) -> None:
        """Hold a lock that nobody can store a tweet beside, as a forgotten session does."""
        self._lock = connect_postgres(self.settings.postgres_connection, "test")
        self._lock.cursor().execute("LOCK TABLE tweets IN ACCESS EXCLUSIVE MODE")

    def unlock_tweets(self) -> None:
        """Give it back."""
        if self._lock is not None:
            self._lock.close()

    def expire_unread(self) -> None:
        """Have Kafka delete tweets that no scoring process has read."""
        self.kill("score")
        admin = AdminClient(kafka_config(self.settings.kafka_connection, "expire"))
        topic = self.settings.names.topic(RAW)
        partitions = [
            TopicPartition(topic, number) for number in range(self.settings.topic_partitions)
        ]

        def ends() -> dict[TopicPartition, int]:
            asked = admin.list_offsets({each: OffsetSpec.latest() for each in partitions})
            return {each: future.result().offset for each, future in asked.items()}

        before = sum(ends().values())
        wait_until(lambda: sum(ends().values()) > before + 20, 120, "20 tweets nobody has read")
        deleted = admin.delete_records(
            [TopicPartition(topic, each.partition, end) for each, end in ends().items()]
        )
        for future in deleted.values():
            future.result()
        self.start("score")

    def drop_rules(self) -> None:
        """Delete every rule at X; the stream asks for them when it starts."""
        for rule_id in list(self.x.corpus.rules):
            self.x.corpus.delete_rule(rule_id)
        self.restart("stream")

    def add_rules(self) -> None:
        """Have the rule again."""
        self.x.corpus.add_rule("cats", "cats")
        self.restart("stream")

    def promote_what_is_not_there(self) -> None:
        """Promote a bundle that nobody can fetch any more."""
        folder = self._folder / "promoted"
        if not folder.exists():
            renamed_bundle(folder, "promoted")
        with closing(connect_postgres(self.settings.postgres_connection, "test")) as connection:
            event = promote(
                connection,
                self._shelf,
                folder,
                served_before=default_bundle,
                because="to see what happens",
                now=datetime.now(UTC),
            )
            shutil.rmtree(self._folder / "shelf" / event.champion.sha256)
            self._publish_promotions(connection)

    def take_back_the_promotion(self) -> None:
        """Have the model that served before."""
        with closing(connect_postgres(self.settings.postgres_connection, "test")) as connection:
            roll_back(connection, to=None, because="it is not there", now=datetime.now(UTC))
            self._publish_promotions(connection)

    def fill_disk(self) -> None:
        """Fill the small disk of the processes to 95 %; their servers have another."""
        usage = shutil.disk_usage(self._disk)
        ballast = max(0, usage.free - usage.total // 20)
        (self._disk / "ballast").write_bytes(bytes(ballast))

    def free_disk(self) -> None:
        """Give the space back."""
        (self._disk / "ballast").unlink(missing_ok=True)

    def poison(self, messages: int) -> None:
        """Publish what is no event."""
        producer = Producer(kafka_config(self.settings.kafka_connection, "poison"))
        topic = self.settings.names.topic(RAW)
        for number in range(messages):
            producer.produce(topic, key=str(number), value=b'{"type": "Nothing"')
            producer.poll(0)
        producer.flush(60)

    def read_poison(self) -> None:
        """Let scoring read what is waiting, as a higher bound does; then have the usual bound.

        A release lets one window pass, and the next one holds again: that took minutes.
        """
        lag = GroupLag(
            self.settings.kafka_connection,
            group=self.settings.names.group(SCORE_GROUP),
            topics=[self.settings.names.topic(RAW)],
        )
        self.restart("score", MURMUR_HOLD_RATIO="1")
        with closing(lag):
            # A window with poison that is read once more, by the usual bound, would hold again.
            wait_until(lambda: lag.total() < 10, 180, "the poison to be read", every_s=1)
        self.restart("score")
        self.murmur("dead-letters", "release")

    def murmur(self, *arguments: str) -> None:
        """Run a command."""
        subprocess.run([MURMUR, *arguments], env=self._environment, check=True, capture_output=True)

    def sql(self, statement: str) -> None:
        """Run a statement in PostgreSQL."""
        connection = connect_postgres(self.settings.postgres_connection, "test")
        with connection, connection.cursor() as cur:
            cur.execute(statement)
        connection.close()

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **process_environment(self.settings),
            "MURMUR_HOME": str(self._disk),
            "MURMUR_BUNDLES": str(self._folder / "shelf"),
        }

    def _answers(self, name: str) -> bool:
        try:
            return bool(self.page(name))
        except OSError:
            return False

    def _publish_promotions(self, connection: Connection) -> None:
        publisher = ConfirmingPublisher(self.settings.kafka_connection, "test")
        topic = self.settings.names.topic(MODELS_PROMOTED)
        publish_waiting(connection, publisher, topic)

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
        stack.enter_context(mounted_disk(folder / "disk", _DISK_MB))
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
