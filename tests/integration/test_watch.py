"""The watch on real Kafka and PostgreSQL: each promise of its windows and alarms."""

import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.embedded import stack as stacks
from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from retrain.drift.watch.recompute import SinkIsBehind, recompute_run
from retrain.drift.watch.watch_worker import make_watch
from retrain.drift.window import ALL_RULES, WindowCounts
from schemas.events import (
    LIVE,
    AuthorErased,
    Event,
    MatchedRule,
    Reference,
    TweetScored,
)
from schemas.failures import Failure
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from schemas.settings import Settings
from schemas.topics import SCORED
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.retention.run_deletion import delete_run
from tests.conditions import wait_until
from tests.integration import test_sink
from tests.integration.test_sink import publish
from tests.kills import OFTEN
from tests.stack import MURMUR, process_environment
from tests.unit.examples import RECEIVED_AT, deleted, scored_tweet
from tests.watched import forget, watched

MONDAY = datetime(2016, 11, 14, tzinfo=UTC)
LABELS = ("negative", "neutral", "positive")
HOUR = timedelta(hours=1)


def tweet(number: int, posted_at: datetime, label: str = "positive", **fields: Any) -> TweetScored:
    return scored_tweet(
        label,
        0.8,
        tweet_id=str(800000000000000000 + number),
        posted_at=posted_at,
        author_id=str(number % 97),
        **fields,
    )


def stream(days: int, *, an_hour: int, shifts_on: int, rules: int = 3) -> list[Event]:
    """A replay in order of time, a tenth of it an hour late, whose labels shift on a day."""
    chance = random.Random("a stream")
    tweets: list[Event] = []
    for hour in range(days * 24):
        weights = (6, 2, 2) if hour >= shifts_on * 24 else (2, 4, 4)
        for _ in range(an_hour):
            late = timedelta(hours=chance.choice((0,) * 18 + (1, 4)))
            posted_at = MONDAY + hour * HOUR + chance.random() * HOUR - late
            (label,) = chance.choices(LABELS, weights)
            tags = tuple(
                MatchedRule(tag=f"rule {rule}") for rule in range(rules) if chance.random() < 0.4
            )
            tweets.append(
                tweet(
                    len(tweets),
                    posted_at,
                    label,
                    rules=tags,
                    text=f"{label} word{chance.random()}",
                    hashtags=(f"tag{len(tweets) % 7}",),
                )
            )
    return tweets


def quick(settings: Settings, **changed: object) -> Settings:
    """A watch that reads little at once, learns in a day, and soon takes a run for idle."""
    quickly = {
        "watch_batch": 200,
        "watch_idle_s": 1.0,
        "watch_learn_days": 2,
        "model": Path("/none"),
    }
    return settings.model_copy(update={**quickly, **changed})


@contextmanager
def running_watch(settings: Settings) -> Iterator[StageMetrics]:
    metrics, stop = StageMetrics("watch"), threading.Event()
    watch = make_watch(
        settings,
        connect=lambda: connect_postgres(settings.postgres_connection, "test watch"),
        metrics=metrics,
        progress=Progress(time.monotonic, 60),
    )
    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(watch.run, stop)
        try:
            yield metrics
        finally:
            stop.set()
            running.result(timeout=30)


@contextmanager
def watch_process(settings: Settings) -> Iterator[Callable[[], int]]:
    """A watch that is started anew whenever it ends, as a supervisor does it; yield its pid."""
    stop = threading.Event()
    pids = [0]

    def run() -> None:
        while not stop.is_set():
            with subprocess.Popen(
                [MURMUR, "watch", "--probe-port", "0"],
                env=process_environment(settings),
                stderr=subprocess.DEVNULL,
            ) as process:
                pids.append(process.pid)
                while process.poll() is None and not stop.wait(0.02):
                    pass
                pids.append(0)
                process.terminate()

    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(run)
        try:
            yield lambda: pids[-1]
        finally:
            stop.set()
            running.result(timeout=60)


def counted(connection: Connection) -> int:
    """How many messages the watch has stored the positions behind."""
    with connection, connection.cursor() as cur:
        cur.execute("SELECT coalesce(sum(next_offset), 0) FROM positions WHERE consumer = 'watch'")
        ((offsets,),) = cur.fetchall()
    return int(offsets)


def _has_counted(connection: Connection, messages: int) -> bool:
    return counted(connection) >= messages


def closed_until(connection: Connection, run: str = "test") -> datetime | None:
    with connection, connection.cursor() as cur:
        cur.execute("SELECT closed_until FROM watch_runs WHERE run = %s", (run,))
        row = cur.fetchone()
    return row[0] if row else None


def windows(
    connection: Connection, *, of_late: bool = False
) -> dict[tuple[str, datetime], WindowCounts]:
    with connection, connection.cursor() as cur:
        cur.execute("SELECT rule, start, on_time::text, late::text FROM watch_windows")
        return {
            (rule, start): msgspec.json.decode(late if of_late else on_time, type=WindowCounts)
            for rule, start, on_time, late in cur
        }


def alarms(connection: Connection) -> list[tuple[str, str]]:
    with connection, connection.cursor() as cur:
        cur.execute("SELECT rule, signal FROM alarms ORDER BY window_start, rule, signal, subject")
        return cur.fetchall()


def watch_all(settings: Settings, connection: Connection, messages: int, until: datetime) -> None:
    """Watch until everything is counted, and an idle run's windows are closed."""
    with running_watch(settings):
        wait_until(lambda: counted(connection) >= messages, 180, "all to be counted")
        wait_until(lambda: closed_until(connection) == until, 60, "the windows to be closed")


def test_windows_hold_each_tweet_once_by_rule_and_over_all(
    settings: Settings, connection: Connection
) -> None:
    retweet = Reference(kind="retweeted", tweet_id="5")
    tweets = [
        tweet(1, MONDAY, rules=(MatchedRule(tag="rain"), MatchedRule(tag="sun")), language="en-GB"),
        tweet(2, MONDAY + HOUR / 2, "negative", rules=(MatchedRule(tag="rain"),)),
        tweet(3, MONDAY + HOUR, references=(retweet,), text="abc"),
        tweet(4, MONDAY + 9 * HOUR),
    ]
    edited = msgspec.structs.replace(tweets[0], version=1, tweet_id="9", edit_history=("1", "9"))
    publish(settings, [*tweets, tweets[1], edited, deleted("7"), b"no event"])
    with running_watch(quick(settings)) as metrics:
        wait_until(lambda: counted(connection) >= 8, 60, "all to be counted")
        # Once more, when the others are stored.
        publish(settings, [tweets[2]])
        wait_until(lambda: counted(connection) >= 9, 60, "the repeat")
        page = metrics.registry.get_sample_value
        outcomes = {
            outcome: page("murmur_watch_events_total", {"outcome": outcome})
            for outcome in ("counted", "repeated", "removal", "invalid")
        }
    assert outcomes == {"counted": 4, "repeated": 3, "removal": 1, "invalid": 1}
    found = windows(connection)
    assert {key: counts.tweets for key, counts in found.items()} == {
        (ALL_RULES, MONDAY): 2,
        ("rain", MONDAY): 2,
        ("sun", MONDAY): 1,
        (ALL_RULES, MONDAY + HOUR): 1,
        (ALL_RULES, MONDAY + 9 * HOUR): 1,
    }
    first = found[ALL_RULES, MONDAY]
    assert first.by_label == {"negative": 1, "neutral": 0, "positive": 1}
    assert first.confidence_micros == 1_600_000
    assert first.by_language == {"": 1, "en": 1}
    third = found[ALL_RULES, MONDAY + HOUR]
    assert (third.tweets, third.retweets, third.judged) == (1, 1, 0)
    with connection, connection.cursor() as cur:
        cur.execute("SELECT root_id FROM watch_samples ORDER BY root_id")
        sampled = {root_id for (root_id,) in cur}
    assert sampled == {one.root_id for one in tweets if one.retweet_of is None}


def test_killed_again_and_again_it_stores_what_a_quiet_watch_stores(
    settings: Settings, connection: Connection
) -> None:
    own = quick(settings)
    publish(settings, tweets := stream(8, an_hour=80 if OFTEN else 60, shifts_on=6))
    end = MONDAY + 8 * 24 * HOUR - 2 * HOUR
    watch_all(own, connection, len(tweets), end)
    quiet = watched(connection)
    assert (ALL_RULES, "label_share") in alarms(connection)
    assert any(counts.tweets for counts in windows(connection, of_late=True).values())
    forget(connection)

    kills = 10 if OFTEN else 1
    with watch_process(own) as pid:
        for kill in range(kills):
            reached = len(tweets) * (kill + 1) // (kills + 2)
            wait_until(partial(_has_counted, connection, reached), 60, "some progress")
            os.kill(wait_until(pid, 60, "a watch"), signal.SIGKILL)
        assert counted(connection) < len(tweets)
        wait_until(lambda: closed_until(connection) == end, 120, "the windows to be closed")
    assert watched(connection) == quiet


def test_it_waits_for_postgres_and_goes_on_where_it_was() -> None:
    home = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        settings = stacks.up(home, env_file=None, servers_only=True)
        own = quick(settings)
        state = load_state(Layout.of(home))
        assert state is not None
        supervisor = Supervisor(state)
        publish(settings, tweets := stream(4, an_hour=100, shifts_on=3))
        end = MONDAY + 4 * 24 * HOUR - 2 * HOUR
        with watch_process(own) as pid:
            connection = connect_postgres(settings.postgres_connection, "test")
            wait_until(lambda: counted(connection) >= len(tweets) // 4, 60, "some progress")
            assert counted(connection) < len(tweets)
            connection.close()
            first = pid()
            supervisor.stop("postgres")
            supervisor.start("postgres")
            wait_until(lambda: _answers(settings), 60, "PostgreSQL to be back")
            connection = connect_postgres(settings.postgres_connection, "test")
            wait_until(lambda: closed_until(connection) == end, 120, "the windows to be closed")
            assert pid() == first
        interrupted = watched(connection)
        forget(connection)
        watch_all(own, connection, len(tweets), end)
        assert interrupted == watched(connection)
        connection.close()
    finally:
        stacks.remove(home)


def _answers(settings: Settings) -> bool:
    try:
        connect_postgres(settings.postgres_connection, "test").close()
    except Failure:
        return False
    return True


def test_made_anew_from_the_rows_windows_and_alarms_are_the_same(
    settings: Settings, connection: Connection
) -> None:
    own = quick(settings)
    in_order = sorted(
        (one for one in stream(8, an_hour=60, shifts_on=6) if isinstance(one, TweetScored)),
        key=lambda one: one.posted_at,
    )
    publish(settings, in_order)
    end = MONDAY + 8 * 24 * HOUR - 2 * HOUR
    watch_all(own, connection, len(in_order), end)
    with pytest.raises(Failure, match="there is no run"):
        recompute(own, connection, "other")
    with test_sink.running_sink(settings):
        wait_until(lambda: _stored(connection) == len(in_order), 120, "the sink")
    before = watched(connection)
    assert alarms(connection)
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE alarms SET acknowledged_by = 'somebody', acknowledged_at = now()")
    assert recompute(own, connection, "test") == len(in_order)
    assert watched(connection) == before
    with connection, connection.cursor() as cur:
        cur.execute("SELECT count(*) FROM alarms WHERE acknowledged_by IS NULL")
        assert cur.fetchone() == (0,)

    # What the watch has not read yet, and the sink had stored, is counted once.
    forget(connection)
    assert recompute(own, connection, "test") == len(in_order)
    publish(settings, [tweet(10**6, in_order[-1].posted_at), in_order[-1]])
    with running_watch(own):
        wait_until(lambda: counted(connection) == 2 + len(in_order), 60, "the rest")
    total = sum(
        counts.tweets for (rule, _), counts in windows(connection).items() if rule == ALL_RULES
    )
    assert total == len(in_order) + 1


def recompute(settings: Settings, connection: Connection, run: str) -> int:
    topic = settings.names.topic(SCORED)
    return recompute_run(
        connection, run, settings.watch_limits, topic=topic, pieces_of=lambda _: None
    ).tweets


def _stored(connection: Connection) -> int:
    with connection, connection.cursor() as cur:
        cur.execute("SELECT count(*) FROM tweets")
        ((count,),) = cur.fetchall()
    return int(count)


def test_a_removal_reaches_the_samples_before_and_after_the_sink_has_the_tweet(
    settings: Settings, connection: Connection
) -> None:
    now = datetime.now(UTC)
    erased = AuthorErased(run=LIVE, author_id="5", received_at=RECEIVED_AT, source="test")
    tweets = [tweet(number, MONDAY + HOUR, received_at=now) for number in range(1, 7)]
    publish(settings, tweets[:3])
    with running_watch(quick(settings)):
        wait_until(lambda: counted(connection) >= 3, 60, "three tweets")
    # The first was sampled before its sink knew of it, and is deleted in the batch that stores it.
    publish(settings, [deleted(tweets[0].root_id), erased])
    with test_sink.running_sink(settings):
        wait_until(lambda: _tombstones(connection) == 2, 60, "the removals")
        publish(settings, tweets[3:])
        with running_watch(quick(settings)):
            wait_until(lambda: counted(connection) >= 8, 60, "the others")
    with connection, connection.cursor() as cur:
        cur.execute("SELECT root_id FROM watch_samples")
        found = {root_id for (root_id,) in cur}
    assert found == {tweets[place].root_id for place in (1, 2, 3, 5)}


def _tombstones(connection: Connection) -> int:
    with connection, connection.cursor() as cur:
        cur.execute("SELECT count(*) FROM tombstones")
        ((count,),) = cur.fetchall()
    return int(count)


def test_a_deleted_run_leaves_nothing(settings: Settings, connection: Connection) -> None:
    own = quick(settings)
    publish(settings, tweets := stream(4, an_hour=20, shifts_on=3))
    watch_all(own, connection, len(tweets), MONDAY + 4 * 24 * HOUR - 2 * HOUR)
    assert all(rows for table, rows in watched(connection).items() if table != "alarms")
    with test_sink.running_sink(settings):
        wait_until(lambda: _stored(connection) == len(tweets), 60, "the sink")
    delete_run(connection, "test")
    assert not any(watched(connection).values())
    # What came in before the deletion counts no more.
    forget(connection)
    with running_watch(own):
        wait_until(lambda: counted(connection) >= len(tweets), 60, "all to be read")
    assert not windows(connection)


def test_beyond_so_many_rules_only_all_of_them_together_are_watched(
    settings: Settings, connection: Connection
) -> None:
    tweets = [
        tweet(number, MONDAY, rules=(MatchedRule(tag=f"rule {number}"),)) for number in range(20)
    ]
    publish(settings, tweets)
    with running_watch(quick(settings, watch_rules=5)) as metrics:
        wait_until(lambda: counted(connection) >= 20, 60, "all to be counted")
        left_out = metrics.registry.get_sample_value("murmur_watch_rules_left_out_total")
    found = windows(connection)
    assert (len(found), found[ALL_RULES, MONDAY].tweets, left_out) == (6, 20, 15)


def test_a_sink_that_is_behind_is_said(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection, connection.cursor() as cur:
        cur.execute(
            "INSERT INTO positions (consumer, topic_id, partition, next_offset, topic)"
            " VALUES ('watch', 'x', 0, 9, %s)",
            (settings.names.topic(SCORED),),
        )
        cur.execute("INSERT INTO runs (run, kind, started_at) VALUES ('test', 'replay', now())")
    monkeypatch.setattr("retrain.drift.watch.recompute._WAIT_S", 0.1)
    with pytest.raises(SinkIsBehind, match="murmur sink"):
        recompute(quick(settings), connection, "test")
