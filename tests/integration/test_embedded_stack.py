"""The embedded stack: what survives, who may reach it, and that stacks do not meet."""

import json
import os
import pwd
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis
from confluent_kafka import Consumer, TopicPartition
from pydantic import SecretStr

from deploy.embedded import stack as stacks
from deploy.embedded.layout import Layout
from deploy.embedded.postgres_server import postgres_place
from deploy.embedded.processes import remembered_commands
from deploy.embedded.state import StackState, load_state
from deploy.embedded.status import status
from schemas.settings import Settings
from schemas.topics import SCORED, topic_name
from schemas.transport.cache import connect_redis
from schemas.transport.kafka_config import kafka_config
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.stack import MURMUR, process_environment

SERVERS = {"kafka", "postgres", "valkey"}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home of this module's own stack, which its tests may treat badly."""
    folder = Path(tempfile.mkdtemp(prefix="murmur ü ", suffix=" " + "long" * 20))
    try:
        yield folder
    finally:
        stacks.remove(folder)


@pytest.fixture
def running(home: Path) -> Settings:
    """Settings of this module's stack, which runs whatever was done to it before."""
    return stacks.up(home, env_file=None, servers_only=True)


def state_of(home: Path) -> StackState:
    state = load_state(Layout.of(home))
    assert state is not None
    return state


def processes_of(home: Path) -> list[psutil.Process]:
    """Return the supervisor, the servers and all of their children."""
    wanted = [tuple(command) for command in remembered_commands(Layout.of(home))]
    found = [
        p for p in psutil.process_iter(["cmdline"]) if tuple(p.info["cmdline"] or ()) in wanted
    ]
    return list({p.pid: p for own in found for p in (own, *own.children(recursive=True))}.values())


def pids(home: Path) -> dict[str, int]:
    return {p.name: p.pid for p in status(home, env_file=None).processes if p.pid}


def leave_a_trace(settings: Settings, word: str) -> None:
    """Put a message into a topic and a row into a table."""
    publisher = ConfirmingPublisher(settings, "test")
    publisher.publish(topic_name(settings, SCORED), key=b"k", value=word.encode(), headers=[])
    publisher.confirm()
    connection = psycopg2.connect(settings.postgres_uri)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO runs (run, kind, started_at) VALUES (%s, 'replay', now())", (word,)
        )
    connection.close()


def traces(settings: Settings) -> tuple[set[str], set[str]]:
    """Return all messages and rows that were left."""
    consumer = Consumer(
        {**kafka_config(settings, "test"), "group.id": "test", "enable.partition.eof": True}
    )
    topic = topic_name(settings, SCORED)
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    messages, ended = set(), 0
    while ended < len(partitions):
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            ended += 1
        else:
            messages.add((message.value() or b"").decode())
    consumer.close()
    connection = psycopg2.connect(settings.postgres_uri)
    with connection.cursor() as cursor:
        cursor.execute("SELECT run FROM runs")
        rows = {run for (run,) in cursor.fetchall()}
    connection.close()
    return messages, rows


def test_calls_at_once_start_one_stack(home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: stacks.up(home, env_file=None, servers_only=True), range(2)))
    assert both[0] == both[1]
    assert pids(home).keys() == SERVERS
    supervisors = [p for p in processes_of(home) if "supervisor.supervisord" in p.cmdline()]
    assert len(supervisors) == 1


def test_a_running_stack_is_left_as_it_is(running: Settings, home: Path) -> None:
    before = pids(home)
    assert stacks.up(home, env_file=None, servers_only=True) == running
    assert pids(home) == before


@pytest.mark.usefixtures("running")
def test_everything_listens_on_the_loopback_only(home: Path) -> None:
    listening = [
        connection.laddr
        for process in processes_of(home)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    ]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    ports = state_of(home).ports
    assert {address.port for address in listening} == {
        ports[name] for name in ("kafka", "kafka-controller", "postgres", "redis", "supervisor")
    }


@pytest.mark.usefixtures("running")
def test_secrets_stand_in_private_files_and_in_no_command_line(home: Path) -> None:
    state = state_of(home)
    secrets = (state.postgres_password, state.redis_password, state.supervisor_password)
    for process in processes_of(home):
        assert not any(secret in word for word in process.cmdline() for secret in secrets)
    for file in home.rglob("*"):
        if file.is_file() and any(secret in file.read_text(errors="replace") for secret in secrets):
            assert file.stat().st_mode & 0o077 == 0, file
    assert home.stat().st_mode & 0o077 == 0


def test_the_servers_refuse_whoever_has_no_password(running: Settings, home: Path) -> None:
    ports = state_of(home).ports
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(
            host="127.0.0.1", port=ports["postgres"], user="murmur", dbname="murmur", password=""
        )
    address = f"redis://127.0.0.1:{ports['redis']}"
    stranger = running.model_copy(update={"redis": SecretStr(address)})
    with connect_redis(stranger) as cache, pytest.raises(redis.AuthenticationError):
        cache.ping()


def test_killed_servers_come_up_again_by_themselves(running: Settings, home: Path) -> None:
    before = pids(home)
    for pid in before.values():
        psutil.Process(pid).kill()

    def all_are_back() -> bool:
        now = pids(home)
        return now.keys() == SERVERS and not set(now.values()) & set(before.values())

    wait_until(all_are_back, 20, "all servers run again")
    # It starts nothing then, and waits until they can be used.
    assert stacks.up(home, env_file=None, servers_only=True) == running
    leave_a_trace(running, "after-the-servers-died")
    messages, rows = traces(running)
    assert "after-the-servers-died" in messages & rows


def test_two_stacks_do_not_meet(running: Settings, home: Path, stack: Settings) -> None:
    if stack.home == running.home or not (stack.home / "stack.json").exists():
        pytest.skip("the session uses no embedded stack")
    assert not set(state_of(home).ports.values()) & set(state_of(stack.home).ports.values())
    leave_a_trace(running, "here-only")
    messages, rows = traces(stack)
    assert "here-only" not in messages | rows


def test_data_and_ports_survive_a_stop_but_for_a_port_that_a_stranger_takes(
    running: Settings, home: Path
) -> None:
    leave_a_trace(running, "before-the-stop")
    before = state_of(home).ports
    assert stacks.down(home)
    assert not processes_of(home)
    assert not stacks.down(home), "nothing was left to stop"
    assert status(home, env_file=None).running is False
    with socket.create_server(("127.0.0.1", before["kafka"])):
        again = stacks.up(home, env_file=None, servers_only=True)
    after = state_of(home).ports
    assert {name for name in before if before[name] != after[name]} == {"kafka"}
    assert again.kafka == f"127.0.0.1:{after['kafka']}"
    assert (again.postgres, again.redis) == (running.postgres, running.redis)
    messages, rows = traces(again)
    assert "before-the-stop" in messages & rows


def test_a_stack_that_was_killed_whole_comes_up_with_its_data(
    running: Settings, home: Path
) -> None:
    leave_a_trace(running, "before-the-kill")
    for process in processes_of(home):
        process.kill()
    wait_until(lambda: not processes_of(home), 10, "everything is dead")
    # Meanwhile, the number of the dead PostgreSQL is given to somebody else's process.
    place = postgres_place(Layout.of(home), state_of(home))
    lock = place.data / "postmaster.pid"
    with subprocess.Popen(
        ["sleep", "600"],
        user=place.user,
        group=None if place.user is None else pwd.getpwnam(place.user).pw_gid,
    ) as other:
        try:
            _, *rest = lock.read_text().splitlines()
            lock.write_text("\n".join([str(other.pid), *rest, ""]))
            again = stacks.up(home, env_file=None, servers_only=True)
            assert other.poll() is None
        finally:
            other.kill()
    messages, rows = traces(again)
    assert "before-the-kill" in messages & rows


@pytest.mark.usefixtures("running")
def test_servers_whose_supervisor_was_killed_are_stopped_all_the_same(home: Path) -> None:
    [supervisor] = [p for p in processes_of(home) if "supervisor.supervisord" in p.cmdline()]
    supervisor.kill()
    supervisor.wait(10)
    assert processes_of(home), "the servers live on"
    assert stacks.down(home)
    assert not processes_of(home)


def test_servers_that_a_person_names_are_used_and_not_started(
    stack: Settings, tmp_path: Path
) -> None:
    env_file = tmp_path / ".env"
    named = {"KAFKA": stack.kafka, "POSTGRES": stack.postgres_uri, "REDIS": stack.redis_uri}
    env_file.write_text("".join(f"MURMUR_{name}={value}\n" for name, value in named.items()))
    own_home = tmp_path / "home"
    try:
        settings = stacks.up(own_home, env_file=env_file, servers_only=True)
        assert settings.kafka == stack.kafka
        assert json.loads(Layout.of(own_home).addresses.read_text()) == {}
        answer = status(own_home, env_file)
        assert answer.running
        assert answer.named_by_you == ("kafka", "postgres", "redis")
        assert {process.name for process in answer.processes} == {"score", "sink"}
    finally:
        stacks.remove(own_home)


def test_kafkas_own_consumer_reads_and_commits_as_a_named_group(settings: Settings) -> None:
    leave_a_trace(settings, "for-everyone")
    answer = subprocess.run(
        [
            MURMUR, "kafka", "console-consumer", "--topic", topic_name(settings, SCORED),
            "--group", "a-reader", "--from-beginning", "--max-messages", "1",
        ],
        env=process_environment(settings), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert answer.stdout == "for-everyone\n"
    consumer = Consumer({**kafka_config(settings, "test"), "group.id": "a-reader"})
    partitions = [
        TopicPartition(topic_name(settings, SCORED), p) for p in range(settings.topic_partitions)
    ]
    committed = consumer.committed(partitions, timeout=10)
    consumer.close()
    assert sum(partition.offset for partition in committed if partition.offset > 0) == 1


def test_the_status_of_a_stack_is_one_document(stack: Settings) -> None:
    answer = subprocess.run(
        [MURMUR, "status", "--json"],
        env={**os.environ, "MURMUR_HOME": str(stack.home)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    document = json.loads(answer.stdout)
    assert document["running"] is True
    assert document["addresses"]["kafka"] == stack.kafka
    assert {group["topic"] for group in document["lag"]} == {"tweets.raw", "tweets.scored"}
