"""`python -m tests.circle`: a stream changes, and another model serves it by itself.

Scoring, the sink, the watch and `murmur retrain watch` run as they do for a person, on servers of
their own. Tweets flow for some days of their own time, then people speak otherwise. Nobody does
anything but label. Then: an alarm, a decision, a job, a training, the gate, a promotion, and a
swap between two windows; every tweet is stored once, by a model that was promoted. It takes some
minutes and needs the `retrain` extra.
"""

import json
import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from model_server.bundle import default_bundle
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote
from retrain.promotion.promotions import promotions, publish_waiting
from schemas.codec import encode, headers_of, key_of
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED, RAW
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.stack import (
    MURMUR,
    is_named_server,
    isolated,
    migrated_template,
    process_environment,
    running_servers,
)
from tests.training.tiny_trained import texts_of, tiny_trained
from tests.unit.examples import posted

RUN: Final = "stream"
FIRST_ID: Final = 1_590_000_000_000_000_000
BEGAN_AT: Final = datetime(2026, 6, 1, tzinfo=UTC)
TWEETS_AN_HOUR: Final = 100
CALM_HOURS: Final = 36
CHANGED_HOURS: Final = 24
TRAIN_OPTIONS: Final = (
    "--learning-rate 0.002 --epochs 10 --batch-texts 32 --patience 0 --word-dropout 0 "
    "--averaging-decay 0.9"
)
LIMIT_S: Final = 600


class Stream:
    """Tweets of one run, published hour by hour of their own time, and people's labels of them."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._topic = settings.names.topic(RAW)
        self._publisher = ConfirmingPublisher(settings.kafka_connection, "circle")
        self._connection = connection
        self._rng = random.Random(1)
        self.labels: dict[str, str] = {}

    def publish(self, hours: int, *, changed: bool) -> None:
        """Publish some hours; changed tweets are of other moods, in words not heard before."""
        for _ in range(hours):
            hour = len(self.labels) // TWEETS_AN_HOUR
            texts = texts_of(TWEETS_AN_HOUR * 6, seed=hour)
            if changed:
                texts = [row for row in texts if row[1] != "neutral" or self._rng.random() < 0.2]
            self._rng.shuffle(texts)
            for number, (text, label) in enumerate(texts[:TWEETS_AN_HOUR]):
                tweet_id = str(FIRST_ID + len(self.labels))
                self.labels[tweet_id] = label
                event = posted(
                    run=RUN,
                    tweet_id=tweet_id,
                    text=f"{text} {'zork flum' if changed else ''}".strip(),
                    posted_at=BEGAN_AT + timedelta(hours=hour, seconds=36 * number),
                    received_at=datetime.now(UTC),
                    language="en",
                )
                self._publisher.publish(
                    self._topic, key=key_of(event), value=encode(event), headers=headers_of(event)
                )
        self._publisher.confirm()

    def label(self, count: int) -> None:
        """Label the last tweets as people would: of three, two are audits and one is asked for."""
        with self._connection, self._connection.cursor() as cursor:
            for number, (tweet_id, label) in enumerate(list(self.labels.items())[-count:]):
                cursor.execute(
                    "INSERT INTO labels VALUES (%s, %s, 0, 'ann', %s, 0, %s, false, now())",
                    (RUN, tweet_id, "queue" if number % 3 == 0 else "audit", label),
                )


def one(connection: Connection, statement: str) -> Any:
    """Return the first value of the first row; None where there is none."""
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return None if row is None else row[0]


@contextmanager
def running(
    environment: Mapping[str, str], folder: Path, *arguments: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process until the block ends; what it says is in a file of its name."""
    log = folder / f"{'-'.join(arguments[:2])}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [MURMUR, *arguments, "--probe-port", "0"],
            env=dict(environment),
            stdout=output,
            stderr=output,
        )
        try:
            yield process
            process.terminate()
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()


def circle(settings: Settings, folder: Path) -> dict[str, Any]:
    """Go round once and return what was seen; `AssertionError` where something did not come."""
    settings = settings.model_copy(
        update={
            "home": folder / "home",
            "bundles": str(folder / "shelf"),
            "watch_learn_days": 1,
            "watch_idle_s": 5.0,
            "retrain_run": RUN,
            "retrain_min_labels": 1_500,
            "retrain_audits": 300,
            # A small model that has learned little prefers one label; a better one prefers none.
            "retrain_recall_loss": 0.3,
            "retrain_options": TRAIN_OPTIONS,
        }
    )
    environment = process_environment(settings)
    champion = folder / "champion"
    subprocess.run(
        [
            *(str(MURMUR), "model", "export", str(tiny_trained(folder / "trained", steps=16))),
            *("--out", str(champion), "--any-cost"),
        ],
        env=environment,
        check=True,
        capture_output=True,
    )
    with ExitStack() as stack:
        connection = stack.enter_context(
            closing(connect_postgres(settings.postgres_connection, "circle"))
        )
        promote(
            connection,
            BundleShelf(settings.bundle_shelf),
            champion,
            served_before=default_bundle,
            because="it is what there is",
            now=datetime.now(UTC),
        )
        publisher = ConfirmingPublisher(settings.kafka_connection, "circle")
        publish_waiting(connection, publisher, settings.names.topic(MODELS_PROMOTED))
        for command in (("score",), ("sink",), ("watch",)):
            stack.enter_context(running(environment, folder, *command))
        stack.enter_context(running(environment, folder, "retrain", "watch", "--every-s", "3"))
        stream = Stream(settings, connection)

        def stored() -> int:
            return int(one(connection, f"SELECT count(*) FROM tweets WHERE run = '{RUN}'") or 0)  # noqa: S608

        def all_stored() -> bool:
            return stored() == len(stream.labels)

        def wait(condition: Any, what: str) -> float:
            began_s = time.monotonic()
            wait_until(condition, LIMIT_S, what)
            return round(time.monotonic() - began_s, 1)

        flowed_at_s = [time.monotonic()]

        def flow() -> None:
            """Publish an hour of tweets every two seconds, however often it is called."""
            if time.monotonic() - flowed_at_s[0] > 2:
                flowed_at_s[0] = time.monotonic()
                stream.publish(1, changed=True)

        seen: dict[str, Any] = {}
        stream.publish(CALM_HOURS, changed=False)
        seen["calm_stored_s"] = wait(all_stored, "the calm tweets are stored")
        assert one(connection, "SELECT count(*) FROM alarms") == 0, "an alarm before any change"
        stream.publish(CHANGED_HOURS, changed=True)
        opened = "SELECT signal FROM alarms WHERE kind = 'model' AND ended_at IS NULL"
        seen["alarm_s"] = wait(lambda: one(connection, opened), "an alarm")
        seen["alarms"] = sorted(set(all_of(connection, opened)))
        wait(all_stored, "the changed tweets are stored")
        missing = "SELECT sentence FROM retrain_decisions WHERE sentence LIKE 'not yet%'"
        seen["not_yet_s"] = wait(lambda: one(connection, missing), "the decision that waits")
        seen["not_yet"] = one(connection, missing)
        stream.label(2_400)
        fired = "SELECT sentence FROM retrain_decisions WHERE fires"
        seen["fired_s"] = wait(lambda: one(connection, fired), "the decision that fires")
        seen["fired"] = one(connection, fired)
        over = "SELECT state FROM retrain_jobs WHERE ended_at IS NOT NULL"
        flowing = time.monotonic()

        def flow_until_over() -> bool:
            flow()
            return one(connection, over) is not None

        wait(flow_until_over, "the job's end")
        seen["job_s"] = round(time.monotonic() - flowing, 1)
        seen["job"] = one(connection, "SELECT state || ': ' || detail FROM retrain_jobs")
        assert len(promotions(connection)) == 3, seen
        challenger = promotions(connection)[0].event.champion
        began_s = time.monotonic()
        by_challenger = (
            "SELECT count(*) FROM scores JOIN models USING (model_id)"  # noqa: S608
            f" WHERE counts AND run = '{RUN}' AND sha256 = '{challenger.sha256}'"
        )

        def flow_until_swapped() -> bool:
            flow()
            return bool(one(connection, by_challenger))

        wait(flow_until_swapped, "a tweet that was scored by the promoted model")
        seen["swapped_s"] = round(time.monotonic() - began_s, 1)
        stream.publish(2, changed=True)
        wait(all_stored, "all tweets are stored")
        seen["tweets"] = stored()
        seen["by_model"] = dict(
            Counter(
                all_of(
                    connection,
                    "SELECT sha256 FROM scores JOIN models USING (model_id)"  # noqa: S608
                    f" WHERE counts AND run = '{RUN}'",
                )
            )
        )
        promoted = {each.event.champion.sha256 for each in promotions(connection)}
        assert set(seen["by_model"]) <= promoted, seen
        assert sum(seen["by_model"].values()) == len(stream.labels) == seen["tweets"], seen
        return seen


def all_of(connection: Connection, statement: str) -> list[Any]:
    """Return the first value of each row."""
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor]


@click.command()
def main() -> None:
    """Go round once and print what was seen as JSON."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        if not is_named_server(variable):
            del os.environ[variable]
    with (
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
        tempfile.TemporaryDirectory() as folder,
    ):
        try:
            seen = circle(settings, Path(folder))
        except BaseException:
            for log in sorted(Path(folder).glob("*.log")):
                click.echo(f"== {log.name}\n{log.read_text()[-1500:]}", err=True)
            for log in (Path(folder) / "home").rglob("log.txt"):
                click.echo(f"== {log}\n{log.read_text()[-3000:]}", err=True)
            raise
    click.echo(json.dumps(seen, indent=1))


if __name__ == "__main__":
    main()
