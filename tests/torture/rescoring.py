"""`python -m tests.torture.rescoring --tweets N`: a run scored anew beside a stream, as JSON.

A scoring process and a sink work on tweets that come at an even rate. `murmur rescore` then scores
another run's stored tweets anew, is killed at even distances, and goes on. The lag of the stream is
measured before and meanwhile, from the publishing of a tweet to its row; afterwards every row is
counted. The model is the default bundle under another name.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import click
import msgspec
from msgspec import Struct

from schemas.codec import encode, headers_of, key_of
from schemas.settings import Settings
from schemas.topics import RAW
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.integration.storing import store
from tests.recount import differing_hashtag_rollups, differing_rollups
from tests.stack import MURMUR, isolated, migrated_template, process_environment, running_servers
from tests.torture.swaps import Process, renamed_bundle, rows
from tests.torture.verdict import Verdict, verdict
from tests.unit.examples import posted, scored_tweet

STORED: Final = "stored"
STREAM: Final = "stream"
_FIRST_ID: Final = 1_590_000_000_000_000_000
_WORDS: Final = "tram late park sun rain news match goal song film tea cake good bad plain".split()
_AT_ONCE: Final = 500
_LOOK_S: Final = 0.1


class Lag(Struct, frozen=True):
    """Seconds from the publishing of a tweet to its row: how many were seen, and quantiles."""

    tweets: int
    p50_s: float
    p95_s: float
    longest_s: float


class Summary(Struct, frozen=True):
    """What a run did and found; the rate is of tweets that were scored anew a second."""

    ok: bool
    tweets: int
    kills: int
    seconds: float
    tweets_per_s: float
    stream_tweets: int
    lag_before: Lag
    lag_meanwhile: Lag
    verdicts: dict[str, Verdict]


class Stream:
    """Publishes tweets at an even rate, and looks when each is stored."""

    def __init__(self, settings: Settings, tweets_per_s: float) -> None:
        self._settings = settings
        self._per_s = tweets_per_s
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._publish, self._look)
        ]
        self.published_s: list[float] = []
        self.stored_s: list[float] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def lag(self, first: int, last: int) -> Lag:
        """Return the lag of the tweets of these numbers; they are stored in about their order."""
        lags = sorted(
            stored - published
            for published, stored in zip(
                self.published_s[first:last], self.stored_s[first:last], strict=False
            )
        )
        if not lags:
            return Lag(0, 0.0, 0.0, 0.0)
        at = [lags[int(len(lags) * share)] for share in (0.5, 0.95)]
        return Lag(len(lags), round(at[0], 2), round(at[1], 2), round(lags[-1], 2))

    def _publish(self) -> None:
        publisher = ConfirmingPublisher(self._settings.kafka_connection, "rescoring")
        topic = self._settings.names.topic(RAW)
        began_s = time.monotonic()
        while not self._stop.wait(0.05):
            due = int((time.monotonic() - began_s) * self._per_s)
            for number in range(len(self.published_s), due):
                event = posted(
                    run=STREAM,
                    tweet_id=str(_FIRST_ID + number),
                    text=_text(number),
                    received_at=datetime.now(UTC),
                )
                publisher.publish(
                    topic, key=key_of(event), value=encode(event), headers=headers_of(event)
                )
                self.published_s.append(time.monotonic())
            publisher.confirm()

    def _look(self) -> None:
        connection = connect_postgres(self._settings.postgres_connection, "rescoring look")
        with closing(connection):
            while not self._stop.wait(_LOOK_S):
                stored = rows(connection, "SELECT count(*) FROM tweets WHERE run = %s", STREAM)
                now_s = time.monotonic()
                self.stored_s += [now_s] * (stored[0][0] - len(self.stored_s))


def _text(number: int) -> str:
    words = (number * step % len(_WORDS) for step in (1, 5, 7, 11))
    return f"{' '.join(_WORDS[word] for word in words)} number {number} #again"


def _fill(connection: Connection, tweets: int) -> None:
    began_at = datetime(2026, 6, 1, tzinfo=UTC)
    for first in range(0, tweets, _AT_ONCE):
        store(
            connection,
            [
                scored_tweet(
                    ("positive", "negative", "neutral")[number % 3],
                    run=STORED,
                    tweet_id=str(_FIRST_ID + number),
                    text=_text(number),
                    posted_at=began_at + timedelta(seconds=number),
                    received_at=datetime.now(UTC),
                    hashtags=("again",),
                )
                for number in range(first, min(first + _AT_ONCE, tweets))
            ],
        )


def _by(connection: Connection, sha256: str) -> int:
    found = rows(
        connection,
        "SELECT count(*) FROM scores JOIN models USING (model_id)"
        " WHERE run = %s AND counts AND sha256 = %s",
        STORED,
        sha256,
    )
    return int(found[0][0])


def _reaches(connection: Connection, sha256: str, tweets: int) -> bool:
    return _by(connection, sha256) >= tweets


def rescoring(
    settings: Settings,
    folder: Path,
    *,
    tweets: int,
    kills: int,
    tweets_per_s: float,
    quiet_s: float,
) -> Summary:
    """Fill a run, score it anew beside a stream, kill that, and compare."""
    bundle = renamed_bundle(folder / "bundle", "again")
    sha256 = bundle.identity.sha256
    command = [str(MURMUR), "rescore", "--run", STORED, "--model", str(bundle.folder), "--json"]
    with closing(connect_postgres(settings.postgres_connection, "rescoring")) as connection:
        _fill(connection, tweets)
        processes = [Process(settings, folder / name, name) for name in ("score", "sink")]
        stream = Stream(settings, tweets_per_s)
        try:
            stream.start()
            wait_until(lambda: len(stream.stored_s) > 0, 120, "the first tweets of the stream")
            settled = len(stream.published_s)
            wait_until(lambda: len(stream.stored_s) > settled, 120, "the stream flows")
            first = len(stream.stored_s)
            threading.Event().wait(quiet_s)
            began, began_s = len(stream.stored_s), time.monotonic()
            for number in range(1, kills + 1):
                process = subprocess.Popen(
                    command, env=process_environment(settings), stdout=subprocess.DEVNULL
                )
                done = partial(_reaches, connection, sha256, tweets * number // (kills + 1))
                wait_until(done, 3_600, "some tweets")
                process.kill()
                process.wait()
                print(f"killed at {_by(connection, sha256)}", file=sys.stderr)  # noqa: T201
            last = subprocess.run(
                command, env=process_environment(settings), capture_output=True, check=True
            )
            report = json.loads(last.stdout)
            seconds, ended = time.monotonic() - began_s, len(stream.stored_s)
            wait_until(lambda: len(stream.stored_s) >= ended + 1, 120, "the stream goes on")
        finally:
            stream.stop()
            for each in processes:
                each.end()
        counted = rows(connection, "SELECT count(*) FROM scores WHERE run = %s AND counts", STORED)[
            0
        ][0]
        verdicts = {
            "every tweet counts once, by the new model": verdict(
                tweets,
                [] if counted == _by(connection, sha256) == tweets else [f"{counted} count"],
            ),
            "rollups equal a recount": verdict(
                rows(connection, "SELECT count(*) FROM rollups")[0][0],
                [*differing_rollups(connection), *differing_hashtag_rollups(connection)],
            ),
            "no process ends by itself": verdict(
                len(processes), [end for each in processes for end in each.unasked]
            ),
            "the last call finished the rest": verdict(1, [] if report["tweets"] else [report]),
        }
    return Summary(
        ok=all(found.kept for found in verdicts.values()),
        tweets=tweets,
        kills=kills,
        seconds=round(seconds, 1),
        tweets_per_s=round(tweets / seconds, 1),
        stream_tweets=len(stream.published_s),
        lag_before=stream.lag(first, began),
        lag_meanwhile=stream.lag(began, ended),
        verdicts=verdicts,
    )


@click.command()
@click.option("--tweets", default=100_000, show_default=True, help="Stored tweets.")
@click.option("--kills", default=5, show_default=True, help="Kills of the re-scoring.")
@click.option("--tweets-per-s", default=50.0, show_default=True, help="Of the stream beside it.")
@click.option("--quiet-s", default=30.0, show_default=True, help="How long it is alone before.")
def main(tweets: int, kills: int, tweets_per_s: float, quiet_s: float) -> None:
    """Score stored tweets anew on servers of its own; exit 1 where something was not kept."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    with (
        tempfile.TemporaryDirectory() as folder,
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
    ):
        summary = rescoring(
            settings,
            Path(folder),
            tweets=tweets,
            kills=kills,
            tweets_per_s=tweets_per_s,
            quiet_s=quiet_s,
        )
    click.echo(msgspec.json.format(msgspec.json.encode(summary)).decode())
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    main()
