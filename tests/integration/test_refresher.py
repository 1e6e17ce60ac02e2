"""The refresher fills Redis, one at a time, and outlives its servers."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from schemas.cache_keys import WINDOWS
from schemas.events import TweetScored
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.aggregates.cache import AggregatesCache
from stream_processors.aggregates.refresher import Refresher
from stream_processors.retention.run_deletion import delete_run
from tests.conditions import wait_until
from tests.integration.storing import store
from tests.unit.examples import scored_tweet

NOWHERE = {
    "redis": SecretStr("redis://127.0.0.1:1/0"),
    "postgres": SecretStr("postgresql://x@127.0.0.1:1/x"),
}


class World:
    """Servers that a test can take away, and refreshers that use them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.model_copy(update={"refresh_interval_s": 0.05})
        self._reachable = self.settings
        self.pids: list[int] = []

    def take_away(self, server: str) -> None:
        """Let new connections to a server fail."""
        self._reachable = self._reachable.model_copy(update={server: NOWHERE[server]})

    def give_back(self) -> None:
        """Let every server be reached again."""
        self._reachable = self.settings

    def refresher(self, registry: CollectorRegistry | None = None) -> Refresher:
        """Return a refresher that is not running yet."""

        def connect() -> Connection:
            connection = connect_postgres(self._reachable.postgres_connection, "refresher")
            self.pids.append(connection.info.backend_pid)
            return connection

        return Refresher(
            connect_postgres=connect,
            connect_redis=lambda: connect_redis(self._reachable.redis_connection),
            settings=self.settings,
            clock=lambda: datetime.now(UTC),
            registry=registry or CollectorRegistry(),
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run a refresher in a thread while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self.refresher().run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=20)
            assert not thread.is_alive()

    def store(self, *tweets: TweetScored) -> None:
        """Store tweets as the sink does."""
        connection = connect_postgres(self.settings.postgres_connection, "test")
        try:
            store(connection, tweets)
        finally:
            connection.close()

    def cached_tweets(self, run: str = "archive") -> int | None:
        """Return how many tweets Redis tells of a run over all time."""
        with connect_redis(self.settings.redis_connection) as client:
            cache = AggregatesCache(client, self.settings.topic_prefix, self.settings.cache_ttl_s)
            found = cache.read(run, "all")
        return found.tweets if found else None

    def wait_for(self, tweets: int | None, run: str = "archive") -> None:
        """Wait until Redis tells of so many tweets."""
        wait_until(
            lambda: self.cached_tweets(run) == tweets, 60, f"{tweets} tweets of {run} in Redis"
        )

    def execute(self, statement: str, *values: Any) -> None:
        """Do something to PostgreSQL from outside."""
        connection = connect_postgres(self.settings.postgres_connection, "test")
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
        finally:
            connection.close()


@pytest.fixture
def world(settings: Settings) -> World:
    return World(settings)


def tweet(number: int, run: str = "archive") -> TweetScored:
    return scored_tweet(run=run, tweet_id=str(number))


def test_every_window_of_a_moving_run_is_kept_and_follows_it(world: World) -> None:
    with world.running():
        world.store(tweet(1))
        world.wait_for(1)
        # The sink notes a change at most once a second: this one leaves changed_at as it is.
        world.store(tweet(2), tweet(3))
        world.wait_for(3)
    with connect_redis(world.settings.redis_connection) as client:
        keys = client.keys("*murmur:aggregates:archive:*")
        assert len(keys) == len(WINDOWS)
        assert all(0 < client.ttl(key) <= world.settings.cache_ttl_s for key in keys)


def test_a_settled_run_is_not_written_again_until_it_moves(world: World) -> None:
    world.store(tweet(1))
    world.execute("UPDATE runs SET changed_at = clock_timestamp() - interval '1 minute'")
    refresher = world.refresher()
    refresher.round()
    with connect_redis(world.settings.redis_connection) as client:
        (key,) = client.keys("*murmur:aggregates:archive:all")
        first = client.get(key)
        refresher.round()
        assert client.get(key) == first
        world.store(tweet(2))
        refresher.round()
        assert client.get(key) != first


def test_a_flushed_redis_fills_again(world: World) -> None:
    with world.running():
        world.store(tweet(1))
        world.wait_for(1)
        world.execute("UPDATE runs SET changed_at = clock_timestamp() - interval '1 minute'")
        with connect_redis(world.settings.redis_connection) as client:
            client.flushdb()
        world.wait_for(1)


def test_live_is_refreshed_though_nothing_changes(world: World) -> None:
    world.store(tweet(1, run="live"))
    world.execute("UPDATE runs SET changed_at = clock_timestamp() - interval '1 hour'")
    world.refresher().round()
    assert world.cached_tweets("live") == 1


def test_a_run_that_moved_long_ago_is_left_to_postgres(world: World) -> None:
    world.store(tweet(1))
    world.execute("UPDATE runs SET changed_at = clock_timestamp() - interval '1 hour'")
    world.refresher().round()
    assert world.cached_tweets() is None


def test_figures_of_a_run_deleted_meanwhile_are_taken_back(world: World) -> None:
    world.store(tweet(1))
    refresher = world.refresher()
    refresher.round()
    connection = connect_postgres(world.settings.postgres_connection, "test")
    delete_run(connection, "archive")
    connection.close()
    refresher.round()
    assert world.cached_tweets() is None


def test_only_one_refreshes_and_another_takes_over_when_its_connection_dies(world: World) -> None:
    registries = [CollectorRegistry(), CollectorRegistry()]
    first, second = (world.refresher(registry) for registry in registries)

    def rounds(registry: CollectorRegistry) -> float:
        return registry.get_sample_value("murmur_aggregates_refresh_seconds_count") or 0

    world.store(tweet(1))
    first.round()
    second.round()
    assert [rounds(registry) for registry in registries] == [1, 0]
    world.execute("SELECT pg_terminate_backend(%s)", world.pids[0])

    def taken_over() -> bool:
        second.round()
        return rounds(registries[1]) > 0

    wait_until(taken_over, 60, "the second refresher takes over")
    first.round()
    first.round()
    assert rounds(registries[0]) == 1


@pytest.mark.parametrize("server", ["redis", "postgres"])
def test_a_server_that_is_away_is_told_once_and_waited_for(
    world: World, caplog: pytest.LogCaptureFixture, server: str
) -> None:
    caplog.set_level(logging.INFO)
    registry = CollectorRegistry()
    world.store(tweet(1))
    world.take_away(server)
    refresher = world.refresher(registry)
    pauses = [refresher.round() for _ in range(3)]
    assert pauses == sorted(pauses)
    assert pauses[0] > world.settings.refresh_interval_s
    assert sum("not refreshed" in record.message for record in caplog.records) == 1
    name = {"redis": "Redis", "postgres": "PostgreSQL"}[server]
    labels = {"server": name}
    assert registry.get_sample_value("murmur_aggregates_refresh_failures_total", labels) == 3
    world.give_back()
    assert refresher.round() == world.settings.refresh_interval_s
    assert world.cached_tweets() == 1


def test_a_long_outage_is_asked_after_at_least_every_ten_seconds(world: World) -> None:
    world.take_away("postgres")
    refresher = world.refresher()
    assert max(refresher.round() for _ in range(30)) == 10


def test_a_refresher_that_stops_gives_up_the_lock(world: World) -> None:
    world.store(tweet(1))
    with world.running():
        world.wait_for(1)
    successor = world.refresher()
    world.store(tweet(2))
    successor.round()
    assert world.cached_tweets() == 2


def test_a_fault_of_one_run_is_that_runs_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Figures before the first year that Python knows: only whoever writes by hand has them."""
    world.store(scored_tweet(run="bad"), scored_tweet(run="good"))
    world.execute("UPDATE rollups SET bucket_start = '0044-03-15 BC' WHERE run = 'bad'")
    registry = CollectorRegistry()
    refresher = world.refresher(registry)
    for _ in range(3):
        refresher.round()
    assert world.cached_tweets("good") == 1
    assert world.cached_tweets("bad") is None
    assert registry.get_sample_value("murmur_aggregates_failed_runs_total") == 1
    assert caplog.text.count("the aggregates of run bad are not refreshed") == 1
