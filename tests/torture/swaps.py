"""`python -m tests.torture.swaps --swaps N --seed S`: models swap under load, as JSON.

Two scoring processes and a sink run while tweets come without end. Models are promoted and rolled
back one after the other, and processes are killed at moments that the seed chooses, right after a
promotion. Afterwards every tweet is compared: stored once, scored by a model that served then. The
models are the default bundle under other names, so that loading one costs what it costs people.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from confluent_kafka import Consumer, TopicPartition
from msgspec import Struct

from model_server.bundle import MANIFEST, Bundle, default_bundle, open_bundle
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote, roll_back
from retrain.promotion.promotions import line_of, promotions, publish_waiting
from schemas.codec import decode_scored, encode, headers_of, key_of
from schemas.events import TweetScored
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED, RAW, SCORED
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.recount import differing_hashtag_rollups, differing_rollups
from tests.stack import MURMUR, isolated, migrated_template, process_environment, running_servers
from tests.torture.swap_verdict import (
    Published,
    Served,
    counts_by_model,
    differing_ids,
    swap_pauses_s,
    wrongly_scored,
)
from tests.torture.verdict import Verdict, verdict
from tests.unit.examples import posted

RUN: Final = "swaps"
FIRST_ID: Final = 1_590_000_000_000_000_000
KILLS: Final = ("", "one score", "", "both scores", "", "sink", "", "one score twice")
"""What is killed at a promotion, in turn: nothing at every second one."""
LONGEST_PAUSE_S: Final = 1.0
_LATEST_S: Final = 120.0
_LETTERS: Final = "abc"


class Summary(Struct, frozen=True):
    """What a run did and found. Pauses and swaps are of promotions without a kill."""

    seed: int
    ok: bool
    promotions: int
    rollbacks: int
    kills: dict[str, int]
    tweets: int
    by_model: dict[str, int]
    pauses: int
    median_pause_s: float
    longest_pause_s: float
    slowest_swap_s: float
    verdicts: dict[str, Verdict]


class Process:
    """A `murmur` process that is started again whenever it was killed."""

    def __init__(self, settings: Settings, home: Path, command: str) -> None:
        home.mkdir()
        self._environment = {**process_environment(settings), "MURMUR_HOME": str(home)}
        self._log = home / "log"
        self._command = command
        self.unasked: list[str] = []
        self._process = self._start()

    def kill(self) -> None:
        """SIGKILL it, and start another at once."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def look(self) -> None:
        """Start another where it ended by itself, and remember that."""
        if self._process.poll() is not None:
            self.unasked.append(f"{self._command} ended by itself ({self._process.returncode})")
            self._process = self._start()

    def end(self) -> None:
        """Ask it to stop, and wait."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=20)
        finally:
            self._process.kill()
            self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [MURMUR, self._command, "--probe-port", "0"], env=self._environment, stderr=output
            )


class Load:
    """Publishes tweets at an even rate until it is told to stop."""

    def __init__(self, settings: Settings, tweets_per_s: float) -> None:
        self._topic = settings.names.topic(RAW)
        self._publisher = ConfirmingPublisher(settings.kafka_connection, "swaps")
        self._per_s = tweets_per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.ids: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return once all that was published is confirmed."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began_s = time.monotonic()
        while not self._stop.wait(0.05):
            due = int((time.monotonic() - began_s) * self._per_s)
            for number in range(len(self.ids), due):
                tweet_id = str(FIRST_ID + number)
                event = posted(
                    run=RUN,
                    tweet_id=tweet_id,
                    text=f"what a {('good', 'bad', 'plain')[number % 3]} day number {number} #swap",
                    received_at=datetime.now(UTC),
                )
                self._publisher.publish(
                    self._topic, key=key_of(event), value=encode(event), headers=headers_of(event)
                )
                self.ids.append(tweet_id)
            self._publisher.confirm()


class Answers:
    """Reads `tweets.scored` along, from its first message."""

    def __init__(self, settings: Settings) -> None:
        config = kafka_config(settings.kafka_connection, "swaps") | {
            "group.id": "swaps",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
        topic = settings.names.topic(SCORED)
        self._consumer = Consumer(config)
        self.partitions = settings.topic_partitions
        self._consumer.assign([TopicPartition(topic, each, 0) for each in range(self.partitions)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: list[Published] = []
        self.last: dict[int, Published] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def all_by(self, sha256: str) -> bool:
        """Tell whether the last answer of every partition is this model's."""
        last = dict(self.last)
        return len(last) == self.partitions and {m.sha256 for m in last.values()} == {sha256}

    def all_since(self, moment_s: float) -> bool:
        """Tell whether every partition was answered after this moment."""
        last = dict(self.last)
        return len(last) == self.partitions and all(
            message.published_at_s > moment_s for message in last.values()
        )

    def _run(self) -> None:
        while not self._stop.is_set():
            for message in self._consumer.consume(500, 0.1):
                value, partition = message.value(), message.partition()
                if message.error() is not None or value is None or partition is None:
                    continue
                event = decode_scored(value)
                assert isinstance(event, TweetScored)
                answer = Published(
                    partition,
                    message.timestamp()[1] / 1000,
                    event.tweet_id,
                    event.score.model.sha256,
                )
                self.seen.append(answer)
                self.last[partition] = answer


class Swaps:
    """One run: promote, roll back, kill, and judge."""

    def __init__(self, settings: Settings, folder: Path, seed: int, tweets_per_s: float) -> None:
        self._settings = settings
        self._folder = folder
        self._rng = random.Random(f"swaps {seed}")
        self._seed = seed
        self._shelf = BundleShelf(str(folder / "shelf"))
        self._bundles = [renamed_bundle(folder / letter, letter) for letter in _LETTERS]
        self._publisher = ConfirmingPublisher(settings.kafka_connection, "swaps")
        self._load = Load(settings, tweets_per_s)
        self._answers = Answers(settings)
        self._disturbed: list[tuple[float, float]] = []
        self._swapped_after_s: list[float] = []
        self._kills: Counter[str] = Counter()
        self._rollbacks = 0
        self._late: list[str] = []

    def summary(self, swaps: int, longest_pause_s: float, *, strange_model: bool) -> Summary:
        with closing(connect_postgres(self._settings.postgres_connection, "swaps")) as connection:
            # Before any process starts: none has scored by another one then.
            self._promote(connection)
            with self._processes(strange_model=strange_model) as processes:
                self._run(connection, processes, swaps)
            return self._judged(
                connection,
                swaps,
                longest_pause_s,
                [end for process in processes for end in process.unasked],
            )

    def _run(self, connection: Connection, processes: Sequence[Process], swaps: int) -> None:
        self._answers.start()
        self._load.start()
        wait_until(lambda: self._answers.all_since(0), _LATEST_S, "all partitions to be scored")
        for number in range(swaps):
            self._swap(connection, processes, KILLS[number % len(KILLS)])
        self._load.stop()
        counted = "SELECT count(*) FROM tweets WHERE run = %s"
        expected = len(self._load.ids)
        try:
            wait_until(
                lambda: rows(connection, counted, RUN)[0][0] >= expected, _LATEST_S, "all tweets"
            )
        except AssertionError as error:
            self._late.append(str(error))
        self._answers.stop()

    def _swap(self, connection: Connection, processes: Sequence[Process], kill: str) -> None:
        began_s = time.time()
        sha256 = self._promote(connection)
        if kill:
            threading.Event().wait(self._rng.uniform(0, 2))
            self._kills[kill] += 1
            scores, sink = processes[:2], processes[2]
            for process in {
                "one score": [self._rng.choice(scores)],
                "one score twice": [scores[0], scores[0]],
                "both scores": scores,
                "sink": [sink],
            }[kill]:
                process.kill()

        def swapped() -> bool:
            for process in processes:
                process.look()
            return self._answers.all_by(sha256)

        try:
            wait_until(swapped, _LATEST_S, f"{sha256[:12]} to serve everywhere")
            if kill:
                # A new process joins the group after a while: until then nothing else is measured.
                killed_s = time.time() + 12
                wait_until(lambda: self._answers.all_since(killed_s), _LATEST_S, "all to move")
        except AssertionError as error:
            self._late.append(str(error))
        if kill:
            self._disturbed.append((began_s, time.time()))
        else:
            self._swapped_after_s.append(time.time() - began_s)
        print(f"{kill or 'no kill'}: {time.time() - began_s:.1f} s", file=sys.stderr)  # noqa: T201

    def _promote(self, connection: Connection) -> str:
        """Promote another model or roll the last one back, and return the hash of the champion."""
        history = promotions(connection)
        now = datetime.now(UTC)
        if len(line_of(history)) > 1 and self._rng.random() < 0.5:
            self._rollbacks += 1
            event = roll_back(connection, to=None, because="torture", now=now)
        else:
            first = self._bundles[0]
            champion = history[0].event.champion.sha256 if history else first.identity.sha256
            event = promote(
                connection,
                self._shelf,
                self._rng.choice(
                    [each.folder for each in self._bundles if each.identity.sha256 != champion]
                ),
                served_before=lambda: first.folder,
                because="torture",
                now=now,
            )
        publish_waiting(connection, self._publisher, self._settings.names.topic(MODELS_PROMOTED))
        return event.champion.sha256

    def _judged(
        self, connection: Connection, swaps: int, longest_pause_s: float, unasked: list[str]
    ) -> Summary:
        history = promotions(connection)
        served = [
            Served(each.event.champion.sha256, each.event.promoted_at) for each in reversed(history)
        ]
        scores = rows(
            connection,
            "SELECT root_id, sha256, scored_at FROM scores JOIN models USING (model_id)"
            " WHERE counts AND run = %s",
            RUN,
        )
        stored = rows(connection, "SELECT tweet_id FROM tweets WHERE run = %s", RUN)
        promoted = {each.sha256 for each in served}
        pauses = sorted(swap_pauses_s(self._answers.seen, self._disturbed))
        longest = pauses[-1] if pauses else float("inf")
        verdicts = {
            "every tweet is stored once": verdict(
                len(self._load.ids), differing_ids(self._load.ids, [row[0] for row in stored])
            ),
            "every tweet counts by one score": verdict(
                len(scores), differing_ids(self._load.ids, [row[0] for row in scores])
            ),
            "each by a model that served at its moment": verdict(
                len(scores), wrongly_scored(scores, served)
            ),
            "no answer in Kafka is of a model that was never promoted": verdict(
                len(self._answers.seen),
                sorted(
                    {each.sha256[:12] for each in self._answers.seen} - {s[:12] for s in promoted}
                ),
            ),
            "rollups equal a recount": verdict(
                rows(connection, "SELECT count(*) FROM rollups")[0][0],
                [*differing_rollups(connection), *differing_hashtag_rollups(connection)],
            ),
            "no dead letters": verdict(1, rows(connection, "SELECT reason FROM dead_letters")),
            f"no swap pauses longer than {longest_pause_s:g} s": verdict(
                len(pauses), [f"{each:.3f} s" for each in pauses if each > longest_pause_s]
            ),
            "every promoted model serves in time": verdict(swaps, self._late),
            "no process ends by itself": verdict(3, unasked),
        }
        return Summary(
            seed=self._seed,
            ok=all(found.kept for found in verdicts.values()),
            promotions=len(history),
            rollbacks=self._rollbacks,
            kills=dict(self._kills),
            tweets=len(self._load.ids),
            by_model=dict(counts_by_model(scores)),
            pauses=len(pauses),
            median_pause_s=round(pauses[len(pauses) // 2], 3) if pauses else 0.0,
            longest_pause_s=round(longest, 3),
            slowest_swap_s=round(max(self._swapped_after_s, default=0.0), 1),
            verdicts=verdicts,
        )

    @contextmanager
    def _processes(self, *, strange_model: bool) -> Iterator[list[Process]]:
        started: list[Process] = []
        try:
            for name in ("score-1", "score-2", "sink"):
                settings = self._settings
                if strange_model and name == "score-2":
                    strange = renamed_bundle(self._folder / "strange", "strange")
                    settings = settings.model_copy(update={"model": strange.folder})
                started.append(Process(settings, self._folder / name, name.partition("-")[0]))
            yield started
        finally:
            for process in started:
                process.end()


def renamed_bundle(folder: Path, name: str) -> Bundle:
    """Return the default bundle under another name, so with another hash."""
    shutil.copytree(default_bundle(), folder)
    manifest = msgspec.structs.replace(open_bundle(folder).manifest, name=name)
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return open_bundle(folder)


def rows(connection: Connection, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()


@click.command()
@click.option("--swaps", default=20, show_default=True, help="Promotions and rollbacks.")
@click.option("--seed", default=1, show_default=True, help="Repeats an order of swaps and kills.")
@click.option("--tweets-per-s", default=100.0, show_default=True, help="How fast tweets come.")
@click.option("--longest-pause-s", default=LONGEST_PAUSE_S, show_default=True, help="The limit.")
@click.option(
    "--strange-model", is_flag=True, help="Let one process serve a model that nobody promoted."
)
def main(
    swaps: int, seed: int, tweets_per_s: float, longest_pause_s: float, strange_model: bool
) -> None:
    """Swap models under load on servers of its own; exit 1 where something was not kept."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    with (
        tempfile.TemporaryDirectory() as folder,
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
    ):
        summary = Swaps(settings, Path(folder), seed, tweets_per_s).summary(
            swaps, longest_pause_s, strange_model=strange_model
        )
    click.echo(msgspec.json.format(msgspec.json.encode(summary)).decode())
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    main()
