"""A storm of faults and kills over a live stream; then every post is accounted for."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from producers.x_connection.connection_end import Ending
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.stack import MURMUR, process_environment
from tests.x_server.exchange import Exchange
from tests.x_server.faults import FAULTS, Fault, deliver_and
from tests.x_server.posts import Post
from tests.x_server.server import FakeX
from tests.x_server.vocabularies import OLD, STREAMED, Dialect

POST_EVERY_S = 0.04
STORED_WITHIN_S = 120.0
END_COSTS_S = 5.0
"""What a stream that is killed or stopped may not yet have taken, on a busy machine."""

CALM = Fault("calm for a while", deliver_and(40, Exchange.end), Ending.CLOSED, posts=40)
RULES = (("cats", "about cats"), ("dogs", "about dogs"))

VOCABULARIES: Final[Mapping[str, tuple[Dialect, ...]]] = {
    "old": (OLD,),
    "new": (STREAMED,),
    "switching": (OLD, STREAMED),
}
"""What X's posts call their fields: of old, as now, or the one and the other by turns."""

SWITCHED_AFTER_POSTS = 7
LONG = "and a whole sentence about them " * 12


@dataclass(frozen=True)
class Account:
    """What became of every post. `lost` is in no gap and in no row; `doubled` counts twice; `cut`
    has another text than its author's, or does not name what it repeats.

    Gaps begin before the last line, so in a storm they cover nearly all of the time: of
    `delivered` posts, which X had sent whole and not shortly before a process ended, each has to
    be there without a refill. `not_taken` names the faults that delivered one which is not.
    """

    posted: int
    connects: int
    most_at_once: int
    faults: int
    kills: int
    gaps: int
    delivered: int
    not_taken: list[str]
    in_gaps: int
    lost: int
    doubled: int
    cut: int
    missing_after_refill: int

    @property
    def ok(self) -> bool:
        """Whether every post is accounted for, and no two connections were open at once."""
        wrong = self.lost + self.doubled + self.cut + self.missing_after_refill
        taken = self.delivered > 0 and not self.not_taken
        return wrong == 0 and taken and self.most_at_once == 1


def storm(
    x: FakeX,
    settings: Settings,
    folder: Path,
    *,
    seconds: float,
    kills: int,
    seed: int,
    vocabulary: str = "switching",
) -> Account:
    """Post, break and kill for so long, then refill, and account for every post."""
    generator = random.Random(seed)
    for value, tag in RULES:
        x.corpus.add_rule(value, tag)
    director = _Director(generator)
    x.director = director
    ended_s: list[float] = []
    stop = threading.Event()
    with ExitStack() as stack:
        for worker in ("score", "sink"):
            stack.enter_context(
                _process([MURMUR, worker, "--probe-port", "0"], settings, folder / f"{worker}.log")
            )
        dialects = VOCABULARIES[vocabulary]
        poster = threading.Thread(
            target=_post, args=(x, generator.random(), stop, dialects), daemon=True
        )
        poster.start()
        began_s = time.monotonic()
        for number in range(kills + 1):
            with _stream(settings, folder, number) as process:
                until_s = began_s + seconds * (number + 1) / (kills + 1)
                while time.monotonic() < until_s:
                    assert process.poll() is None, "the stream ended by itself"
                    stop.wait(0.05)
                if number == kills:
                    stop.set()
                    poster.join(5)
                    x.director = None
                    _last_words(x, settings, process)
            ended_s.append(time.monotonic())
        posts = [post for post in x.corpus.posts if _asked_for(post)]
        delivered = director.delivered(ended_s)
        not_taken = [delivered[each] for each in _not_stored(settings, set(delivered))]
        gaps = _rows(settings, "SELECT from_at, coalesce(to_at, now()) FROM stream_gaps")
        # What was published last is still on its way.
        lost = _not_stored(settings, {p.tweet_id for p in posts if not _within(p.at, gaps)})
        missing = {post.tweet_id for post in posts} - _stored(settings)
        refill_log = folder / "refill.log"
        wait_until(
            lambda: _refilled(settings, refill_log), 90, "all gaps that are over to be refilled"
        )
        last_gap = max(begin for begin, _ in gaps)
        due = {post.tweet_id for post in posts if post.at < last_gap}
        wait_until(lambda: due <= _stored(settings), STORED_WITHIN_S, "what was refilled")
        ((counted,),) = _rows(
            settings,
            "SELECT sum(tweets) FROM rollups WHERE rule = '' AND granularity = 'day'",
        )
        stored = _stored(settings)
        return Account(
            posted=len(posts),
            connects=len(x.connects_s),
            most_at_once=x.most_at_once,
            faults=len(director.played),
            kills=kills,
            gaps=len(gaps),
            delivered=len(delivered),
            not_taken=not_taken,
            in_gaps=len(missing),
            lost=len(lost),
            doubled=int(counted) - len({p.root_id for p in posts if p.tweet_id in stored}),
            cut=_cut(settings, posts),
            missing_after_refill=len(due - stored),
        )


class _Director:
    """Plays the faults in rounds, each in another order, and knows what they delivered whole."""

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator
        self._deck: list[Fault] = []
        self._lock = threading.Lock()
        self._delivered: list[tuple[float, str, str]] = []
        self.played: set[str] = set()

    def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            if not self._deck:
                round_ = [*FAULTS, *[CALM] * (len(FAULTS) // 3)]
                self._deck.extend(self._generator.sample(round_, len(round_)))
            fault = self._deck.pop()
            self.played.add(fault.name)
        # A client that leaves before the end may have given up what was on its way.
        fault.play(exchange)
        with self._lock:
            self._delivered += [
                (at_s, msgspec.json.decode(post)["data"]["id"], fault.name)
                for at_s, post in exchange.taken[: fault.posts]
            ]

    def delivered(self, ended_s: list[float]) -> dict[str, str]:
        """Return the posts that have to be stored, each with its fault's name.

        None from shortly before a process ended until its sockets were surely gone.
        """
        with self._lock:
            return {
                tweet_id: fault
                for at_s, tweet_id, fault in self._delivered
                if not any(end_s - END_COSTS_S <= at_s <= end_s + 1 for end_s in ended_s)
            }


def _not_stored(settings: Settings, tweet_ids: set[str]) -> set[str]:
    """Return what is not stored however long one waits."""
    with suppress(AssertionError):
        wait_until(lambda: tweet_ids <= _stored(settings), STORED_WITHIN_S, "posts to be stored")
    return tweet_ids - _stored(settings)


def _post(
    x: FakeX, seed: float, stop: threading.Event, dialects: Sequence[Dialect] = (OLD,)
) -> None:
    generator = random.Random(seed)
    number = 0
    # Before its first start a stream has nothing to miss.
    while not x.connects_s:
        stop.wait(0.05)
    last = x.corpus.post("birds at first")
    while not stop.wait(POST_EVERY_S):
        number += 1
        x.stream_dialect = dialects[number // SWITCHED_AFTER_POSTS % len(dialects)]
        words = generator.choice(["cats", "dogs", "cats dogs", "birds"])
        kind = generator.choice(["plain", "plain", "long", "edit", "repost"])
        if kind == "repost":
            original = last.repeats or last
            x.post(original.text, repeats=original)
        elif kind == "edit":
            edited = last.repeats or last
            last = x.post(f"{words} number {number}, edited", edits=edited)
        else:
            last = x.post(f"{words} number {number} {LONG if kind == 'long' else ''}".strip())


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


def _refilled(settings: Settings, log: Path) -> bool:
    with log.open("ab") as output:
        subprocess.run(
            [MURMUR, "gaps", "refill"],
            env=process_environment(settings),
            check=False,
            stdout=output,
            stderr=output,
        )
    return not _rows(
        settings, "SELECT 1 FROM stream_gaps WHERE status = 'open' AND to_at IS NOT NULL"
    )


def _within(at: datetime, gaps: list[Any]) -> bool:
    return any(begins <= at <= ends for begins, ends in gaps)


def _stored(settings: Settings) -> set[str]:
    """Return the ids of all versions that the rows stand for: an edit replaces what it edits."""
    statement = "SELECT tweet_id FROM tweets UNION SELECT unnest(edit_history) FROM tweets"
    return {tweet_id for (tweet_id,) in _rows(settings, statement)}


def _cut(settings: Settings, posts: Sequence[Post]) -> int:
    """Count the rows that have another text than was posted, or name nothing that they repeat."""
    known = {post.tweet_id: post for post in posts}
    return sum(
        text != known[tweet_id].text or retweet_of != _repeated_by(known[tweet_id])
        for tweet_id, text, retweet_of in _rows(
            settings, "SELECT tweet_id, text, retweet_of FROM tweets"
        )
    )


def _repeated_by(post: Post) -> str | None:
    return None if post.repeats is None else post.repeats.tweet_id


def _rows(settings: Settings, statement: str) -> list[Any]:
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def _stream(settings: Settings, folder: Path, number: int) -> Any:
    command = [
        sys.executable,
        "-m",
        "tests.torture.hurried_stream",
        str(folder / "captures"),
    ]
    return _process(command, settings, folder / f"stream-{number}.log")


@contextmanager
def _process(
    command: list[Any], settings: Settings, log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process; it is killed at the end of the block, without a word."""
    output: IO[bytes]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=process_environment(settings),
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[2],
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
