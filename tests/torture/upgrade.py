"""`python -m tests.torture.upgrade --old COMMIT`: a rolling upgrade under load, as JSON.

An archive is replayed into an installation of the old code, on servers of its own. Then each step
of deploy/kubernetes/README.md is done while tweets flow: the new version's migrations, the sink,
scoring, the producer. Old and new run side by side at each step. `--and-back` rolls all of it back
in the other order, without a step back in the database, and upgrades once more. Afterwards every
tweet that Kafka holds is compared with what is stored. The old code runs from a worktree of git,
with the libraries of this one.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec
from confluent_kafka import Consumer, TopicPartition
from msgspec import Struct

from schemas.codec import decode_raw
from schemas.events import TweetPosted
from schemas.process.exit_codes import ExitCode
from schemas.settings import Settings
from schemas.topics import RAW
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import Connection, connect_postgres
from tests.conditions import wait_until
from tests.monitoring import free_port
from tests.recount import differing_hashtag_rollups, differing_rollups
from tests.stack import own_database, running_servers
from tests.torture.swap_verdict import differing_ids
from tests.torture.swaps import rows
from tests.torture.verdict import Verdict, verdict

NEW: Final = Path(__file__).parents[2]
RUN: Final = "upgrade"
FIRST_ID: Final = 1_590_000_000_000_000_000
_LINES: Final = 500_000
"""More than any run publishes: the last replay is stopped."""
_LATEST_S: Final = 900.0
"""A replay that begins its file anew stores nothing new until it is where the old one ended."""
_PROGRAM: Final = "from deploy.cli import main; main()"
_SETTINGS: Final = ("kafka", "postgres", "redis", "topic_prefix", "topic_partitions")


class Step(Struct, frozen=True):
    """What was done, how long it and the time after it lasted, and how many tweets were stored.

    `side_by_side` has what each process has read since it started, by the end of the step.
    """

    what: str
    lasted_s: float
    stored: int
    side_by_side: dict[str, int]


class Summary(Struct, frozen=True):
    """What a run did and found. `stood_still`: how often a watchdog ended a process."""

    old: str
    new: str
    ok: bool
    tweets: int
    stood_still: int
    steps: list[Step]
    verdicts: dict[str, Verdict]


class Version:
    """One version's code, and the environment in which its commands run."""

    def __init__(self, name: str, code: Path, settings: Settings, folder: Path) -> None:
        self.name = name
        self._code = code
        self._folder = folder
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("MURMUR_")}
        self._environment |= {"PYTHONPATH": str(code), "MURMUR_HOME": str(folder / f"{name}-home")}
        for field in _SETTINGS:
            value = getattr(settings, field)
            text = value if isinstance(value, str | int) else value.get_secret_value()
            self._environment[f"MURMUR_{field.upper()}"] = str(text)

    def start(self, log: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command; what it says goes to a log."""
        with (self._folder / f"{log}.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *arguments],
                cwd=self._code,
                env=self._environment,
                stdout=output,
                stderr=output,
            )

    def run(self, *arguments: str) -> None:
        """Run a command to its end; raise where it fails."""
        process = self.start(f"{self.name}-{arguments[0]}", *arguments)
        if process.wait(timeout=_LATEST_S):
            log = (self._folder / f"{self.name}-{arguments[0]}.log").read_text(errors="replace")
            raise click.ClickException(f"{self.name} {' '.join(arguments)}: {log[-2000:]}")

    def output(self, *arguments: str) -> str:
        """Run a command to its end, and return what it prints."""
        return subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            cwd=self._code,
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


class Worker:
    """A running `score` or `sink` of one version."""

    def __init__(self, version: Version, command: str, number: int = 1) -> None:
        self.name = f"{version.name} {command} {number}"
        self.restarts = 0
        self._port = free_port()
        self._version, self._command = version, command
        self._process = self._start()

    def look(self) -> str:
        """Start it again where it ended by itself, and return what is wrong with that.

        A process that stood still says so by its code: on a busy machine that is no fault.
        """
        code = self._process.poll()
        if code is None:
            return ""
        self.restarts += 1
        self._process = self._start()
        return "" if code == ExitCode.STALLED else f"{self.name} ended by itself ({code})"

    def ready(self) -> bool:
        """Tell whether it says that it is ready."""
        try:
            return bool(self._page("readyz"))
        except OSError:
            return False

    def read(self) -> int:
        """Return how many messages it has read; 0 where it does not answer."""
        try:
            page = self._page("metrics")
        except OSError:
            return 0
        # By outcome, and each message has one of them or several: the largest is what was read.
        counted = re.findall(r"^murmur_(?:score|sink)_events_total\{[^}]*\} (\S+)", page, re.M)
        return int(max(map(float, counted), default=0))

    def end(self) -> int:
        """Ask it to stop as a supervisor does; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=60)
        finally:
            self._process.kill()
            self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        log = self.name.replace(" ", "-")
        return self._version.start(log, self._command, "--probe-port", str(self._port))

    def _page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/{path}", timeout=10) as answer:
            page: bytes = answer.read()
        return page.decode()


class Upgrade:
    """One run: every step under load, then everything compared."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        old: Version,
        new: Version,
        rate: float,
        hold_s: float,
    ) -> None:
        self._settings = settings
        self._old, self._new = old, new
        self._rate = rate
        self._hold_s = hold_s
        self._archive = folder / "tweets.csv"
        self._workers: dict[str, Worker] = {}
        self._producer: subprocess.Popen[bytes] | None = None
        self._faults: list[str] = []
        self._restarts = 0
        self._steps: list[Step] = []

    def run(self, connection: Connection, *, migrate: bool, and_back: bool) -> None:
        """Do all steps; whatever happens, nothing is left running."""
        self._archive.write_text(
            "id,text\n"
            + "".join(
                f"{FIRST_ID + n},what a {('good', 'bad', 'plain')[n % 3]} day {n} #upgrade\n"
                for n in range(_LINES)
            )
        )
        try:
            self._old.run("init")
            with self._step(connection, "the old version alone"):
                self._start("sink", self._old)
                self._start("score", self._old, 1)
                self._start("score", self._old, 2)
                self._produce(self._old)
            if migrate:
                with self._step(connection, "migrations of the new version"):
                    self._new.run("init")
            self._replace_all(connection, self._old, self._new, ("sink", "score", "producer"))
            if and_back:
                self._replace_all(connection, self._new, self._old, ("producer", "score", "sink"))
                self._replace_all(connection, self._old, self._new, ("sink", "score", "producer"))
            self._stop_producing()
            self._await_the_rest(connection)
        finally:
            self._stop_producing()
            for worker in list(self._workers.values()):
                self._end(worker)

    def judged(self, connection: Connection, old: str, new: str) -> Summary:
        """Compare what Kafka holds with what is stored."""
        published = self._published()
        stored = [row[0] for row in rows(connection, "SELECT tweet_id FROM tweets")]
        counted = [row[0] for row in rows(connection, "SELECT root_id FROM scores WHERE counts")]
        expected = sorted(published)
        handed_over = [str(FIRST_ID + n) for n in range(len(published))]
        verdicts = {
            "the producers left no line out": verdict(
                len(handed_over), differing_ids(handed_over, expected)
            ),
            "every tweet is stored once": verdict(len(expected), differing_ids(expected, stored)),
            "every tweet counts by one score": verdict(
                len(expected), differing_ids(expected, counted)
            ),
            "rollups equal a recount": verdict(
                rows(connection, "SELECT count(*) FROM rollups")[0][0],
                [*differing_rollups(connection), *differing_hashtag_rollups(connection)],
            ),
            "the day's rollup counts every tweet once": verdict(
                len(expected),
                [
                    f"{total} counted, {len(expected)} published"
                    for ((total,),) in [
                        rows(
                            connection,
                            "SELECT coalesce(sum(tweets), 0)::bigint FROM rollups"
                            " WHERE granularity = 'day' AND rule = ''",
                        )
                    ]
                    if total != len(expected)
                ],
            ),
            "no dead letters": verdict(1, rows(connection, "SELECT reason FROM dead_letters")),
            "no process fails": verdict(len(self._steps), self._faults),
            "tweets are stored in every step": verdict(
                len(self._steps), [step.what for step in self._steps if not step.stored]
            ),
        }
        return Summary(
            old=old,
            new=new,
            ok=all(found.kept for found in verdicts.values()),
            tweets=len(published),
            stood_still=self._restarts,
            steps=self._steps,
            verdicts=verdicts,
        )

    def _replace_all(
        self, connection: Connection, before: Version, after: Version, order: Sequence[str]
    ) -> None:
        for what in order:
            if what == "producer":
                with self._step(connection, f"the producer is {after.name}"):
                    self._stop_producing()
                    self._produce(after)
                continue
            numbers = (1, 2) if what == "score" else (1,)
            with self._step(connection, f"{after.name} {what} beside {before.name}"):
                for number in numbers:
                    self._start(what, after, number)
            with self._step(connection, f"{after.name} {what} alone"):
                for number in numbers:
                    self._end(self._workers[f"{before.name} {what} {number}"])

    def _start(self, command: str, version: Version, number: int = 1) -> None:
        worker = Worker(version, command, number)
        self._workers[worker.name] = worker
        try:
            wait_until(lambda: self._look() and worker.ready(), _LATEST_S, f"{worker.name} ready")
        except AssertionError as error:
            self._faults.append(str(error))

    def _look(self) -> bool:
        """Do what a supervisor does; return True."""
        for worker in self._workers.values():
            fault = worker.look()
            if fault and fault not in self._faults:
                self._faults.append(fault)
        return True

    def _end(self, worker: Worker) -> None:
        self._look()
        del self._workers[worker.name]
        self._restarts += worker.restarts
        code = worker.end()
        if code not in (ExitCode.DONE, ExitCode.UNFINISHED):
            self._faults.append(f"{worker.name} ended with {code}")

    def _produce(self, version: Version) -> None:
        self._producer = version.start(
            f"{version.name}-replay",
            *("replay", str(self._archive), "--run", RUN, "--rate", str(self._rate)),
        )

    def _stop_producing(self) -> None:
        if self._producer is not None:
            if self._producer.poll() is not None:
                self._faults.append(f"the producer ended by itself ({self._producer.returncode})")
            self._producer.send_signal(signal.SIGTERM)
            self._producer.wait(timeout=60)
            self._producer = None

    @contextmanager
    def _step(self, connection: Connection, what: str) -> Iterator[None]:
        began_s = time.monotonic()
        before = _stored(connection)
        yield
        reached = _stored(connection)
        held_s = time.monotonic()
        try:
            wait_until(
                lambda: (
                    self._look()
                    and _stored(connection) > reached
                    and time.monotonic() - held_s > self._hold_s
                ),
                _LATEST_S,
                f"{what}: tweets to be stored",
            )
        except AssertionError as error:
            self._faults.append(str(error))
        self._steps.append(
            Step(
                what,
                round(time.monotonic() - began_s, 1),
                _stored(connection) - before,
                {worker.name: worker.read() for worker in self._workers.values()},
            )
        )
        click.echo(str(self._steps[-1]), err=True)

    def _await_the_rest(self, connection: Connection) -> None:
        published = len(self._published())
        try:
            wait_until(
                lambda: self._look() and _stored(connection) >= published,
                _LATEST_S,
                "all to be stored",
            )
        except AssertionError as error:
            self._faults.append(str(error))

    def _published(self) -> set[str]:
        """Return the ids of all tweets that Kafka holds, by this version's decoder."""
        topic = f"{self._settings.topic_prefix}{RAW}"
        config = kafka_config(self._settings.kafka_connection, RUN) | {"group.id": RUN}
        consumer = Consumer(config)
        ids = set()
        try:
            for number in range(self._settings.topic_partitions):
                partition = TopicPartition(topic, number, 0)
                _, end = consumer.get_watermark_offsets(partition, timeout=30)
                consumer.assign([partition])
                read = 0
                while read < end:
                    for message in consumer.consume(1000, 5.0):
                        value = message.value()
                        assert message.error() is None
                        assert value is not None
                        event = decode_raw(value)
                        assert isinstance(event, TweetPosted)
                        ids.add(event.tweet_id)
                        read = (message.offset() or 0) + 1
        finally:
            consumer.close()
        return ids


def _stored(connection: Connection) -> int:
    count: int = rows(connection, "SELECT count(*) FROM tweets")[0][0]
    return count


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """Yield a worktree of a commit, and remove it afterwards."""
    git = ("git", "-C", str(NEW))
    added = subprocess.run(
        [*git, "worktree", "add", "--quiet", "--detach", str(folder), commit],
        capture_output=True,
        text=True,
        check=False,
    )
    if added.returncode:
        raise click.BadParameter(added.stderr.strip(), param_hint="--old")
    try:
        yield folder
    finally:
        subprocess.run([*git, "worktree", "remove", "--force", str(folder)], check=True)


def _commit_of(code: Path) -> str:
    return subprocess.run(
        ["git", "-C", str(code), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@click.command()
@click.option("--old", required=True, metavar="COMMIT", help="The version that is upgraded from.")
@click.option("--rate", default=50.0, show_default=True, help="Tweets a second.")
@click.option(
    "--hold-s", default=20.0, show_default=True, help="How long each step lasts at least."
)
@click.option("--and-back", is_flag=True, help="Roll back as well, then upgrade again.")
@click.option(
    "--no-migrations", is_flag=True, help="Leave the first step out: the run has to fail."
)
@click.option("--logs", type=click.Path(path_type=Path), help="Keep what the processes said here.")
def main(
    old: str, rate: float, hold_s: float, and_back: bool, no_migrations: bool, logs: Path | None
) -> None:
    """Upgrade under load on servers of its own; exit 1 where something was lost or doubled."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    with ExitStack() as cleanup:
        folder = logs or Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        place = Path(cleanup.enter_context(tempfile.TemporaryDirectory())) / "old"
        code = cleanup.enter_context(checked_out(old, place))
        servers = cleanup.enter_context(running_servers())
        named = cleanup.enter_context(own_database(servers))
        settings = named.model_copy(update={"topic_prefix": "upgrade."})
        connection = cleanup.enter_context(
            closing(connect_postgres(settings.postgres_connection, "upgrade"))
        )
        upgrade = Upgrade(
            settings,
            folder,
            Version("old", code, settings, folder),
            Version("new", NEW, settings, folder),
            rate,
            hold_s,
        )
        upgrade.run(connection, migrate=not no_migrations, and_back=and_back)
        summary = upgrade.judged(connection, _commit_of(code), _commit_of(NEW))
    click.echo(msgspec.json.format(msgspec.json.encode(summary)).decode())
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    main()
