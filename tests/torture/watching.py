"""`python -m tests.torture.watching --kills N --seed S`: a watch that is killed, as JSON.

A replay of scored tweets stands in Kafka. A watch counts it, is killed at even distances, and its
PostgreSQL is stopped once. All that it stored is then compared with what a watch that nobody
disturbs stores of the same topic. The model is the default bundle, so that the first
days are held against its validation texts; on the last days the shares shift, and a hashtag is new.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from deploy.embedded import stack as stacks
from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from model_server.bundle import default_bundle, identity_of
from schemas.codec import encode, headers_of, key_of
from schemas.events import MatchedRule, TweetScored
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import SCORED
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.torture.swaps import Process, rows
from tests.torture.verdict import Verdict, verdict
from tests.unit.examples import scored_tweet
from tests.watched import forget, watched

MONDAY: Final = datetime(2016, 11, 14, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DAYS: Final = 8
SHIFTS_ON: Final = 6
LEARN_DAYS: Final = 2
AN_HOUR: Final = 80
_FIRST_ID: Final = 800_000_000_000_000_000
_LABELS: Final = ("negative", "neutral", "positive")
_PROMPT_S: Final = 300.0
"""How long a step may take on a busy machine."""

_RAISED: Final = {
    "label_share stream": "a moved share",
    "new_hashtag stream": "a new hashtag",
    "confidence validation": "less confidence than on the validation texts",
}


class Summary(Struct, frozen=True):
    """What a run did and found."""

    ok: bool
    seed: int
    tweets: int
    kills: int
    postgres_stops: int
    seconds: float
    alarms: dict[str, int]
    verdicts: dict[str, Verdict]


def replay(seed: int) -> Iterator[TweetScored]:
    """Yield a replay in order of time, a tenth of it late."""
    chance, identity = random.Random(seed), identity_of(default_bundle())
    number = 0
    for hour in range(DAYS * 24):
        shifted = hour >= SHIFTS_ON * 24
        for _ in range(AN_HOUR):
            late = timedelta(hours=chance.choice((0,) * 18 + (1, 4)))
            (label,) = chance.choices(_LABELS, (6, 2, 2) if shifted else (2, 4, 4))
            tags = tuple(MatchedRule(tag=f"rule {n}") for n in range(3) if chance.random() < 0.8)
            event = scored_tweet(
                label,
                round(chance.uniform(0.4, 0.64), 6),
                hashtags=("strike",) if shifted and chance.random() < 0.2 else ("day",),
                run="replay",
                tweet_id=str(_FIRST_ID + number),
                posted_at=MONDAY + hour * HOUR + chance.random() * HOUR - late,
                received_at=datetime(2026, 11, 28, tzinfo=UTC),
                author_id=str(number % 97),
                rules=tags,
                text=f"{label} qzx{chance.randrange(10**9)} wvk{chance.randrange(10**9)}",
            )
            score = msgspec.structs.replace(event.score, model=identity)
            yield msgspec.structs.replace(event, score=score)
            number += 1


def publish(settings: Settings, tweets: list[TweetScored]) -> None:
    """Publish a replay."""
    publisher = ConfirmingPublisher(settings.kafka_connection, "watching")
    for tweet in tweets:
        publisher.publish(
            settings.names.topic(SCORED),
            key=key_of(tweet),
            value=encode(tweet),
            headers=headers_of(tweet),
        )
    publisher.confirm()


def watching(settings: Settings, supervisor: Supervisor, *, seed: int, kills: int) -> Summary:
    """Watch a replay in a storm and in quiet, and compare what the two stored."""
    began_s = time.monotonic()
    tweets = list(replay(seed))
    publish(settings, tweets)
    unasked, early = _storm(settings, supervisor, len(tweets), kills)
    with closing(connect_postgres(settings.postgres_connection, "watching")) as connection:
        stormy, alarms = watched(connection), _alarms(connection)
        forget(connection)
        quiet = Process(settings, _home("quiet"), "watch")
        try:
            _await_end(settings)
        finally:
            quiet.end()
        calm = watched(connection)
    verdicts = {
        f"{table} as of a quiet watch": verdict(len(calm[table]), _differing(calm, stormy, table))
        for table in calm
    } | {
        "killed while it counted": verdict(kills, early),
        "no process ends by itself": verdict(kills + 2, [*unasked, *quiet.unasked]),
        "each kind of alarm was raised": verdict(
            sum(alarms.values()), [said for name, said in _RAISED.items() if not alarms.get(name)]
        ),
    }
    return Summary(
        ok=all(found.kept for found in verdicts.values()),
        seed=seed,
        tweets=len(tweets),
        kills=kills,
        postgres_stops=1,
        seconds=round(time.monotonic() - began_s, 1),
        alarms=alarms,
        verdicts=verdicts,
    )


def _storm(
    settings: Settings, supervisor: Supervisor, tweets: int, kills: int
) -> tuple[list[str], list[str]]:
    """Kill a watch at even distances; return what ended by itself, and kills that came too late."""
    watch, late = Process(settings, _home("storm"), "watch"), []
    try:
        for kill in range(kills):
            reached = tweets * (kill + 1) // (kills + 2)
            wait_until(partial(_counted, settings, reached), _PROMPT_S, "some progress")
            watch.look()
            watch.kill()
            if _counted(settings, tweets):
                late.append(f"all was counted before kill {kill + 1}")
            if kill == kills // 2:
                supervisor.stop("postgres")
                supervisor.start("postgres")
        _await_end(settings)
        watch.look()
    finally:
        watch.end()
    return watch.unasked, late


def _home(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix="murmur-watching-")) / name


def _counted(settings: Settings, messages: int) -> bool:
    """Tell whether the watch has stored the positions behind so many messages."""
    return bool(
        _asked(
            settings,
            "SELECT coalesce(sum(next_offset), 0) >= %s FROM positions WHERE consumer = 'watch'",
            messages,
        )
    )


def _await_end(settings: Settings) -> None:
    """Return when all windows are judged but those in which tweets could still be in time."""
    end = MONDAY + DAYS * 24 * HOUR - 2 * HOUR
    query = "SELECT coalesce(max(closed_until) = %s, false) FROM watch_runs"
    wait_until(lambda: _asked(settings, query, end), _PROMPT_S, "the windows to be closed")


def _asked(settings: Settings, query: str, *parameters: object) -> object:
    """Return what a query answers; None while PostgreSQL does not."""
    try:
        connection = connect_postgres(settings.postgres_connection, "watching")
    except Failure:
        return None
    with closing(connection):
        return rows(connection, query, *parameters)[0][0]


def _alarms(connection: Connection) -> dict[str, int]:
    query = "SELECT signal || ' ' || compared_with, count(*) FROM alarms GROUP BY 1 ORDER BY 1"
    return dict(rows(connection, query))


def _differing(
    calm: dict[str, list[tuple[Any, ...]]], stormy: dict[str, list[tuple[Any, ...]]], table: str
) -> list[str]:
    """Return the rows that only one of the two has, as far as they can be read."""
    expected, found = ([repr(row)[:200] for row in of[table]] for of in (calm, stormy))
    if calm[table] == stormy[table]:
        return []
    missing = [f"missing: {row}" for row in expected if row not in set(found)]
    more = [f"too much: {row}" for row in found if row not in set(expected)]
    return [*missing, *more] or ["rows differ beyond their first characters"]


@click.command()
@click.option("--kills", default=10, show_default=True, help="SIGKILLs of the watch.")
@click.option("--seed", default=1, show_default=True, help="Repeats the tweets.")
def main(kills: int, seed: int) -> None:
    """Kill a watch again and again on servers of its own; exit 1 where something differs."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    home = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        settings = stacks.up(home, env_file=None, servers_only=True)
        state = load_state(Layout.of(home))
        if state is None:
            raise click.ClickException("the stack did not start")
        own = settings.model_copy(
            update={"watch_batch": 200, "watch_idle_s": 1.0, "watch_learn_days": LEARN_DAYS}
        )
        summary = watching(own, Supervisor(state), seed=seed, kills=kills)
    finally:
        stacks.remove(home)
    click.echo(msgspec.json.format(msgspec.json.encode(summary)).decode())
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    main()
