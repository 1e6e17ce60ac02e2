"""Kafka's data is set back to an earlier state: what is lost with it is stored, and said."""

import logging
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.embedded import stack as stacks
from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from deploy.installation.topics import TopicInstaller
from schemas.events import Event
from schemas.failures import Failure
from schemas.process.metrics import StageMetrics
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORED, topic_specs
from schemas.transport.kafka_config import kafka_config
from schemas.transport.log_proof import LogReader
from schemas.transport.positions import (
    SINK,
    StoredPosition,
    read_earlier,
    read_positions,
    write_positions,
)
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.start_offsets import (
    LogWentBack,
    StartOffsets,
    require_same_logs,
    start_offsets,
)
from schemas.transport.topic_ids import find_topic_ids
from tests.conditions import wait_until
from tests.integration.replay_runs import archive, numbers, replay, tweet_line
from tests.integration.test_sink import publish, running_sink, sink_lag, store
from tests.stack import MURMUR, process_environment
from tests.unit.examples import scored_tweet


class OwnStack:
    """Servers of the test's own, whose Kafka can be set back."""

    def __init__(self, home: Path) -> None:
        self._layout = Layout.of(home)
        self._saved = home / "saved"
        self.settings = self._up()

    def save_kafka(self) -> None:
        self._stop_kafka()
        shutil.copytree(self._layout.kafka / "data", self._saved)
        self._up()

    def set_kafka_back(self) -> None:
        self._stop_kafka()
        shutil.rmtree(self._layout.kafka / "data")
        shutil.copytree(self._saved, self._layout.kafka / "data")
        self._up()

    def stored(self) -> set[int]:
        connection = connect_postgres(self.settings.postgres_connection, "test")
        with connection, connection.cursor() as cur:
            cur.execute("SELECT tweet_id::bigint - 800000000000000000 FROM tweets")
            found = {number for (number,) in cur}
        connection.close()
        return found

    def _up(self) -> Settings:
        return stacks.up(self._layout.home, env_file=None, servers_only=True)

    def _stop_kafka(self) -> None:
        state = load_state(self._layout)
        assert state is not None
        Supervisor(state).stop("kafka")


@pytest.fixture
def own_stack() -> Iterator[OwnStack]:
    home = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        yield OwnStack(home)
    finally:
        stacks.remove(home)


def tweets(numbers: range) -> Sequence[Event]:
    return [scored_tweet(tweet_id=str(800000000000000000 + number)) for number in numbers]


def losses(metrics: StageMetrics) -> float:
    return metrics.registry.get_sample_value("murmur_sink_log_losses_total") or 0


def test_what_took_the_lost_offsets_is_stored(
    own_stack: OwnStack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = own_stack.settings
    lines = archive(tmp_path, *map(tweet_line, range(50)), name="lost.jsonl")
    more = archive(tmp_path, *map(tweet_line, range(50, 60)), name="more.jsonl")
    store(settings, tweets(range(200)))
    own_stack.save_kafka()
    store(settings, tweets(range(200, 300)))
    replay(settings, lines, "--run", "old")
    own_stack.set_kafka_back()

    # Scoring goes past the stored position before the sink starts.
    publish(settings, tweets(range(1_000, 1_200)))
    lag = sink_lag(settings)
    with caplog.at_level(logging.ERROR), running_sink(settings) as metrics:
        wait_until(lambda: own_stack.stored() >= set(range(1_000, 1_200)), 60, "the lost tweets")
        wait_until(lambda: lag.total() == 0, 60, "the offsets to follow")
        assert losses(metrics) >= 1
    assert "Kafka has lost the end of" in caplog.text
    assert own_stack.stored() == {*range(300), *range(1_000, 1_200)}
    with running_sink(settings) as metrics:
        wait_until(lambda: lag.total() == 0, 60, "a start")
        assert losses(metrics) == 0

    # A replay that was finished publishes anew what Kafka has lost.
    assert numbers(settings) == []
    report = replay(settings, lines, more, "--run", "old")
    assert [file["action"] for file in report["files"]] == ["published from its start"] * 2
    assert numbers(settings) == list(range(60))
    assert replay(settings, lines, more, "--run", "old", "--limit", "1")["events"] == 1

    # While the sink runs, it ends, and the one that is started next goes back.
    with restarted_sink(settings):
        publish(settings, tweets(range(1_900, 1_910)))
        wait_until(lambda: own_stack.stored() >= set(range(1_900, 1_910)), 60, "the sink to be up")
        own_stack.set_kafka_back()
        publish(settings, tweets(range(2_000, 2_400)))
        wait_until(lambda: own_stack.stored() >= set(range(2_000, 2_400)), 90, "the lost tweets")


@contextmanager
def restarted_sink(settings: Settings) -> Iterator[None]:
    """A sink process that is started anew whenever it ends, as a supervisor does it."""
    environment = process_environment(settings)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            with subprocess.Popen(
                [MURMUR, "sink", "--probe-port", "0"], env=environment, stderr=subprocess.DEVNULL
            ) as process:
                while process.poll() is None and not stop.wait(0.1):
                    pass
                process.terminate()

    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(run)
        try:
            yield
        finally:
            stop.set()
            running.result(timeout=60)


def test_a_running_sink_ends_when_a_broker_comes_back_with_another_log(
    settings: Settings, connection: Connection
) -> None:
    store(settings, tweets(range(20)))
    topic_ids = ids_of(settings)
    partitions = [(topic, number) for topic in topic_ids for number in range(20)]
    log = LogReader(settings.kafka_connection)
    require_same_logs(connection, SINK, log, topic_ids, partitions)
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE positions SET last_sha256 = 'of another log'")
    with pytest.raises(LogWentBack):
        require_same_logs(connection, SINK, log, topic_ids, partitions)
    log.close()


def test_it_goes_back_to_the_newest_earlier_position_that_is_proved(
    settings: Settings, connection: Connection
) -> None:
    topic = settings.names.topic(SCORED)
    topic_ids, log = ids_of(settings), LogReader(settings.kafka_connection)
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    ends = []
    for _ in range(3):
        for _ in range(2):
            publisher.publish(topic, key=b"key", value=b"value", headers=[])
        publisher.confirm()
        ((name, end),) = log.ends({topic: settings.topic_partitions}).items()
        ends.append(end)
    assert [end.offset for end in ends] == [1, 3, 5]
    of_another_log = msgspec.structs.replace(ends[2], sha256="of another log")
    with connection, connection.cursor() as cur:
        for last in (*ends[:2], msgspec.structs.replace(of_another_log, offset=4)):
            cur.execute(
                "INSERT INTO earlier_positions VALUES ('sink', %s, %s, %s, %s, %s)",
                (topic_ids[topic], name[1], *msgspec.structs.astuple(last)),
            )
        write_positions(cur, SINK, {name: of_another_log}, topic_ids)
    started = start_offsets(connection, SINK, log, topic_ids, [name])
    assert started == StartOffsets({name: 4}, frozenset([name]))
    with connection, connection.cursor() as cur:
        assert read_positions(cur, SINK, topic_ids, [name]) == {
            name: StoredPosition(next_offset=4, last=ends[1])
        }
        earlier = read_earlier(cur, SINK, topic_ids[topic], name[1])
    assert earlier == [ends[1], ends[0]]
    assert start_offsets(connection, SINK, log, topic_ids, [name]) == StartOffsets(
        {name: 4}, frozenset()
    )
    log.close()


def ids_of(settings: Settings) -> dict[str, str]:
    topics = [settings.names.topic(topic) for topic in (SCORED, DEAD_LETTER)]
    return find_topic_ids(AdminClient(kafka_config(settings.kafka_connection, "test")), topics)


def test_a_topic_made_anew_has_nothing_of_what_a_replay_published(
    settings: Settings, tmp_path: Path
) -> None:
    path = archive(tmp_path, *map(tweet_line, range(20)))
    replay(settings, path, "--run", "old")
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    for future in admin.delete_topics([settings.names.topic(RAW)]).values():
        future.result(timeout=30)
    wait_until(lambda: _made_anew(settings), 60, "the topic to be made anew")
    empty = archive(tmp_path, tweet_line(20), name="more.jsonl")
    replay(settings, path, empty, "--run", "old")
    assert numbers(settings) == list(range(21))


def test_what_expired_since_is_not_published_anew(settings: Settings, tmp_path: Path) -> None:
    path = archive(tmp_path, *map(tweet_line, range(20)))
    replay(settings, path, "--run", "old")
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    everything = [
        TopicPartition(settings.names.topic(RAW), number, OFFSET_END)
        for number in range(settings.topic_partitions)
    ]
    for deletion in admin.delete_records(everything).values():
        deletion.result(timeout=30)
    more = archive(tmp_path, tweet_line(20), name="more.jsonl")
    assert replay(settings, path, more, "--run", "old")["events"] == 1


def _made_anew(settings: Settings) -> bool:
    """A topic that is still being deleted cannot be made; the next attempt tells."""
    try:
        specs = topic_specs(settings.names, settings.topic_layout)
        TopicInstaller(settings.cluster, settings.topic_layout).make(specs)
    except Failure:
        return False
    return True
