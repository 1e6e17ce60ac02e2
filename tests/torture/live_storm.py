"""A storm of faults and kills over a live stream; then every post is accounted for."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.stack import MURMUR, process_environment
from tests.x_server.exchange import Exchange
from tests.x_server.faults import FAULTS, Fault
from tests.x_server.posts import Post
from tests.x_server.server import FakeX

POST_EVERY_S = 0.04
STORED_WITHIN_S = 120.0
RULES = (("cats", "about cats"), ("dogs", "about dogs"))


@dataclass(frozen=True)
class Account:
    """What became of every post. `lost` is in no gap and in no row; `doubled` counts twice."""

    posted: int
    connects: int
    faults: int
    kills: int
    gaps: int
    in_gaps: int
    lost: int
    doubled: int
    missing_after_refill: int


def storm(
    x: FakeX, settings: Settings, folder: Path, *, seconds: float, kills: int, seed: int
) -> Account:
    """Post, break and kill for so long, then refill, and account for every post."""
    generator = random.Random(seed)
    for value, tag in RULES:
        x.corpus.add_rule(value, tag)
    played: list[str] = []
    x.director = _director(generator, played)
    stop = threading.Event()
    with ExitStack() as stack:
        for worker in ("score", "sink"):
            stack.enter_context(
                _process([MURMUR, worker, "--probe-port", "0"], settings, folder / f"{worker}.log")
            )
        poster = threading.Thread(target=_post, args=(x, generator.random(), stop), daemon=True)
        poster.start()
        began_s = time.monotonic()
        for number in range(kills + 1):
            with _stream(settings, folder, number) as process:
                until_s = began_s + seconds * (number + 1) / (kills + 1)
                while time.monotonic() < until_s:
                    assert process.poll() is None, "the stream ended by itself"
                    stop.wait(0.05)
                if number == kills:
                    x.director = None
                    _last_words(x, settings, process)
        stop.set()
        poster.join(5)
        posts = [post for post in x.corpus.posts if _asked_for(post)]
        gaps = _rows(settings, "SELECT from_at, coalesce(to_at, now()) FROM stream_gaps")
        stored = _stored(settings)
        missing = [post for post in posts if post.tweet_id not in stored]
        lost = [post for post in missing if not _within(post.at, gaps)]
        wait_until(lambda: _refilled(settings), 90, "all gaps that are over to be refilled")
        last_gap = max(begin for begin, _ in gaps)
        due = {post.tweet_id for post in posts if post.at < last_gap}
        wait_until(lambda: due <= _stored(settings), STORED_WITHIN_S, "what was refilled")
        ((counted,),) = _rows(
            settings,
            "SELECT sum(tweets) FROM rollups WHERE rule = '' AND granularity = 'day'",
        )
        return Account(
            posted=len(posts), connects=len(x.connects_s), faults=len(set(played)), kills=kills,
            gaps=len(gaps), in_gaps=len(missing), lost=len(lost),
            doubled=int(counted) - len(_stored(settings)),
            missing_after_refill=len(due - _stored(settings)),
        )  # fmt: skip


def _director(generator: random.Random, played: list[str]) -> Any:
    deck: list[Fault] = []
    lock = threading.Lock()

    def direct(exchange: Exchange) -> None:
        with lock:
            if not deck:
                deck.extend(generator.sample(FAULTS, len(FAULTS)))
            fault = deck.pop()
            played.append(fault.name)
        fault.play(exchange)

    return direct


def _post(x: FakeX, seed: float, stop: threading.Event) -> None:
    generator = random.Random(seed)
    number = 0
    while not stop.wait(POST_EVERY_S):
        number += 1
        x.post(generator.choice(["cats", "dogs", "cats dogs", "birds"]) + f" number {number}")


def _asked_for(post: Post) -> bool:
    return any(value in post.text.split() for value, _ in RULES)


def _last_words(x: FakeX, settings: Settings, process: "subprocess.Popen[bytes]") -> None:
    """Wait until what a calm connection delivers is stored, then stop."""
    last: set[str] = set()

    def stored_at_last() -> bool:
        # The fake may still believe in a connection that its client has given up.
        last.add(x.post("cats at last").tweet_id)
        return not last.isdisjoint(_stored(settings))

    wait_until(stored_at_last, STORED_WITHIN_S, "a post of a calm connection")
    process.terminate()
    process.wait(10)


def _refilled(settings: Settings) -> bool:
    subprocess.run(
        [MURMUR, "gaps", "refill"],
        env=process_environment(settings), check=False, capture_output=True,
    )  # fmt: skip
    return not _rows(
        settings, "SELECT 1 FROM stream_gaps WHERE status = 'open' AND to_at IS NOT NULL"
    )


def _within(at: datetime, gaps: list[Any]) -> bool:
    return any(begins <= at <= ends for begins, ends in gaps)


def _stored(settings: Settings) -> set[str]:
    return {tweet_id for (tweet_id,) in _rows(settings, "SELECT tweet_id FROM tweets")}


def _rows(settings: Settings, statement: str) -> list[Any]:
    connection = connect_postgres(settings, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def _stream(settings: Settings, folder: Path, number: int) -> Any:
    command = [
        sys.executable, "-m", "tests.torture.hurried_stream", str(folder / "captures"),
    ]  # fmt: skip
    return _process(command, settings, folder / f"stream-{number}.log")


@contextmanager
def _process(
    command: list[Any], settings: Settings, log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process; it is killed at the end of the block, without a word."""
    output: IO[bytes]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=process_environment(settings), stdout=output, stderr=output,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
