"""The embedded stack: what survives, who may reach it, and that stacks do not meet."""

import json
import os
import pwd
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg2
import pytest
import redis
from pydantic import SecretStr

from deploy.embedded import stack as stacks
from deploy.embedded.layout import Layout
from deploy.embedded.leftover_processes import remembered_commands
from deploy.embedded.postgres_server import postgres_place
from deploy.embedded.stack_state import PAGE_PORT, StackState, load_state
from deploy.embedded.status import status
from deploy.embedded.stored_runs import StoredRun, remember_runs, remembered_runs
from model_server.bundle import RefusedBundle
from schemas.settings import RETRAIN_FOLDER, Settings
from schemas.transport.cache import connect_redis
from tests.conditions import wait_until
from tests.integration.traces import leave_a_trace, traces
from tests.stack import MURMUR

SERVERS = {"kafka", "postgres", "valkey"}

Answer = TypeVar("Answer")


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


def of_the_living(home: Path, ask: Callable[[psutil.Process], Answer]) -> list[Answer]:
    """Ask the supervisor, the servers and their children; PostgreSQL's come and go meanwhile."""
    answers = []
    for process in processes_of(home):
        with suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers


def supervisors_of(home: Path) -> list[psutil.Process]:
    found = of_the_living(home, lambda process: (process, process.cmdline()))
    return [process for process, command in found if "supervisor.supervisord" in command]


def pids(home: Path) -> dict[str, int]:
    return {p.name: p.pid for p in status(home, env_file=None).processes if p.pid}


def test_a_model_that_is_no_bundle_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MURMUR_MODEL", str(tmp_path / "nosuch"))
    with pytest.raises(RefusedBundle, match="nosuch is not a model bundle"):
        stacks.up(tmp_path / "home", env_file=None)
    assert not (tmp_path / "home").exists()


def test_calls_at_once_start_one_stack(home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: stacks.up(home, env_file=None, servers_only=True), range(2)))
    assert both[0] == both[1]
    assert pids(home).keys() == SERVERS
    assert len(supervisors_of(home)) == 1


def test_a_running_stack_is_left_as_it_is(running: Settings, home: Path) -> None:
    before = pids(home)
    assert stacks.up(home, env_file=None, servers_only=True) == running
    assert pids(home) == before


@pytest.mark.usefixtures("running")
def test_everything_listens_on_the_loopback_only(home: Path) -> None:
    listening = [
        connection.laddr
        for connections in of_the_living(home, lambda p: p.net_connections(kind="inet"))
        for connection in connections
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
    for command in of_the_living(home, lambda process: process.cmdline()):
        assert not any(secret in word for word in command for secret in secrets)
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
    with (
        connect_redis(stranger.redis_connection) as cache,
        pytest.raises(redis.AuthenticationError),
    ):
        cache.ping()


def test_killed_servers_come_up_again_by_themselves(running: Settings, home: Path) -> None:
    before = pids(home)
    for pid in before.values():
        psutil.Process(pid).kill()

    def all_are_back() -> bool:
        now = pids(home)
        return now.keys() == SERVERS and not set(now.values()) & set(before.values())

    wait_until(all_are_back, 60, "all servers run again")
    # It starts nothing then, and waits until they can be used.
    assert stacks.up(home, env_file=None, servers_only=True) == running
    leave_a_trace(running, "after-the-servers-died")
    messages, rows = traces(running)
    assert "after-the-servers-died" in messages & rows


def test_two_stacks_do_not_meet(running: Settings, home: Path, stack: Settings) -> None:
    if stack.home == running.home or not (stack.home / "stack.json").exists():
        pytest.skip("the session uses no embedded stack")
    first, second = (
        {port for name, port in state_of(each).ports.items() if name != PAGE_PORT}
        for each in (home, stack.home)
    )
    # The page is at 8100 as long as nobody listens there: who starts later takes another.
    assert not first & second
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
    of_the_living(home, lambda process: process.kill())
    wait_until(lambda: not processes_of(home), 60, "everything is dead")
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
    [supervisor] = supervisors_of(home)
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
        assert {process.name for process in answer.processes} == {"score", "sink", "watch"}
        (own_home / RETRAIN_FOLDER).mkdir()
    finally:
        stacks.remove(own_home)
    # What somebody trained for hours is no data of the stack's.
    assert [entry.name for entry in own_home.iterdir()] == [RETRAIN_FOLDER]
    (own_home / RETRAIN_FOLDER).rmdir()
    stacks.remove(own_home)
    assert not own_home.exists()


def murmur_at(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MURMUR_")}
    return subprocess.run(
        [MURMUR, *arguments],
        env={**environment, "MURMUR_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_data_that_cannot_be_made_again_are_deleted_only_if_that_is_said(
    running: Settings, home: Path
) -> None:
    connection = psycopg2.connect(running.postgres_uri)
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM runs")
        for run, kind in (("live", "live"), ("spring", "replay")):
            cursor.execute(
                "INSERT INTO runs (run, kind, started_at) VALUES (%s, %s, now())", (run, kind)
            )
        for root_id, origin in (("1", "audit"), ("2", "import")):
            cursor.execute(
                "INSERT INTO labels (run, root_id, version, labeller, origin, answer_seen,"
                " labelled_at) VALUES ('spring', %s, 0, 'ana', %s, false, now())",
                (root_id, origin),
            )
    connection.close()
    layout = Layout.of(home)
    stacks.down(home)
    found = {run.run: run.labels for run in remembered_runs(layout) or ()}
    assert found == {"live": 0, "spring": 1}
    remember_runs(layout, [StoredRun("spring", 9, labels=106)])
    asked = murmur_at(home, "down", "--delete-data")
    assert asked.returncode == 2
    assert "spring (9 tweets, 106 labels of people)" in asked.stderr
    remember_runs(layout, [StoredRun("live", 12_345), StoredRun("spring", 9)])
    asked = murmur_at(home, "down", "--delete-data")
    assert asked.returncode == 2
    assert "live (12,345 tweets), spring (9 tweets)" in asked.stderr
    assert "--yes" in asked.stderr
    assert layout.state.exists()
    remember_runs(layout, None)
    assert murmur_at(home, "down", "--delete-data").returncode == 2, "unknown runs are asked about"
    remember_runs(layout, [StoredRun("spring", 9)])
    assert murmur_at(home, "down", "--delete-data").returncode == 0
    assert not layout.state.exists()


def test_an_interrupted_start_leaves_nothing_running(tmp_path: Path) -> None:
    own_home = tmp_path / "home"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MURMUR_")}
    starting = subprocess.Popen(
        [MURMUR, "up", "--servers-only"],
        env={**environment, "MURMUR_HOME": str(own_home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: own_home.exists() and stacks.runs(own_home), 60, "no supervisor came up")
        starting.send_signal(signal.SIGINT)
        _, said = starting.communicate(timeout=60)
        assert starting.returncode == 130
        assert "stopping what was started" in said
        assert processes_of(own_home) == []
    finally:
        stacks.remove(own_home)
