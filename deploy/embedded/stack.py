"""Starting and stopping a stack. What the commands, the demo and the tests use."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Set
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from deploy.embedded.layout import Layout
from deploy.embedded.leftover_processes import end_processes, remember_commands, remembered_commands
from deploy.embedded.postgres_server import new_folder_if_root
from deploy.embedded.served_model import in_short, newest_model, promoted_model
from deploy.embedded.server_programs import PROGRAM_OF, addresses, await_servers, prepare_servers
from deploy.embedded.stack_state import (
    StackState,
    load_state,
    save_state,
    settle_state,
    with_new_ports,
)
from deploy.embedded.start_programs import Say
from deploy.embedded.stored_runs import remember_runs, stored_runs
from deploy.embedded.supervision import Supervisor, start_supervisor, supervisor_command
from deploy.embedded.supervisor_config import differing_programs, supervisor_config
from deploy.embedded.worker_programs import await_workers, worker_programs
from deploy.embedded.worker_settings import handed_over
from deploy.installation.installing import install
from model_server.bundle import default_bundle, open_bundle
from schemas.failures import Failure
from schemas.private_files import make_private_folder, write_private
from schemas.process.process_list import PROCESSES, SCORE, SERVE, STREAM
from schemas.settings import RETRAIN_FOLDER, Settings, servers_of_the_user
from schemas.transport.postgres import connect_postgres
from stream_processors.circuit_breaker.release_hold import read_hold


def settings_at(home: Path, env_file: Path | None = Path(".env")) -> Settings:
    """Return the settings as any command reads them, for the stack in `home`."""
    return Settings(_env_file=env_file, home=home)  # type: ignore[call-arg]


def up(
    home: Path,
    *,
    env_file: Path | None = Path(".env"),
    servers_only: bool = False,
    with_page: bool = True,
    say: Say = lambda _: None,
) -> Settings:
    """Start what does not run and return the settings of the running stack.

    When it returns, the servers answer, topics and tables are there, and all workers are ready
    (not with `servers_only`; nothing is served without `with_page`; scoring not while it is held,
    which `say` is told). May be repeated; calls at once wait for each other. Servers that a person
    has named are used and not started. Scoring is started anew where another model was chosen
    since, and `say` is told of both. Raises `Failure` if something does not come up, and before
    anything starts for a model that is no bundle.
    """
    layout = Layout.of(home)
    chosen = None
    if not servers_only:
        wanted = settings_at(layout.home, env_file)
        if STREAM in wanted.kept_up:
            wanted.x_token  # noqa: B018  it raises where there is none
        chosen = open_bundle(settings_at(layout.home, env_file).model or default_bundle()).identity
    make_private_folder(layout.home)
    with _locked(layout):
        embedded = PROGRAM_OF.keys() - servers_of_the_user(env_file)
        state = _ensure_supervisor(layout, embedded, env_file, say)
        known = addresses(state, embedded)
        write_private(layout.addresses, msgspec.json.encode(known).decode())
        remember_runs(layout, None)
        settings = settings_at(layout.home, env_file)
        supervisor = Supervisor(state)
        await_servers(layout, state, settings.cluster, supervisor, embedded, say)
        say("topics and tables")
        for sentence in install(settings.installation).differing:
            say(f"note: {sentence} (`murmur init --alter` changes it)")
        if chosen is not None:
            connect = partial(connect_postgres, settings.postgres_connection, "up")
            before = state.model or newest_model(settings.postgres_connection)
            promoted = None if settings.model else promoted_model(connect)
            if promoted is not None:
                # Scoring takes it over by itself.
                say(f"the promoted model serves: {in_short(promoted)}")
                chosen = promoted
            elif before is not None and before != chosen:
                say(f"the model changes from {in_short(before)} to {in_short(chosen)}")
                supervisor.stop(SCORE.name)
            save_state(layout, msgspec.structs.replace(state, model=chosen))
            hold, _ = read_hold(settings.cluster)
            if hold is not None:
                say(f"scoring is {hold.sentence()}: `murmur dead-letters release` resumes it")
            await_workers(
                layout,
                state,
                supervisor,
                say,
                workers=[each for each in settings.kept_up if with_page or each != SERVE],
                is_held=hold is not None,
            )
        return settings


def runs(home: Path) -> bool:
    """Tell whether a stack runs in a home: its supervisor answers."""
    state = load_state(Layout.of(home))
    return state is not None and Supervisor(state).answers()


def down(home: Path, *, say: Say = lambda _: None) -> bool:
    """Stop the stack, workers first, and keep its data; tell whether anything ran.

    Also ends processes whose supervisor has died.
    """
    layout = Layout.of(home)
    if not layout.home.exists():
        return False
    with _locked(layout):
        state = load_state(layout)
        if layout.addresses.exists() and state is not None and Supervisor(state).answers():
            # No settings of a person's: these are the stack's own servers.
            own = settings_at(layout.home, env_file=None)
            runs = stored_runs(lambda: connect_postgres(own.postgres_connection, "down"))
            if runs is not None:
                remember_runs(layout, runs)
        layout.addresses.unlink(missing_ok=True)
        return _stop(layout, state, say)


def remove(home: Path) -> None:
    """Stop the stack and delete its data, for good; what trainings wrote there stays."""
    layout = Layout.of(home)
    down(layout.home)
    state = load_state(layout)
    if state is not None and state.postgres_folder:
        shutil.rmtree(state.postgres_folder, ignore_errors=True)
    if not layout.home.is_dir():
        return
    for entry in layout.home.iterdir():
        if entry.name == RETRAIN_FOLDER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    if not any(layout.home.iterdir()):
        layout.home.rmdir()


def _ensure_supervisor(
    layout: Layout, embedded: Set[str], env_file: Path | None, say: Say
) -> StackState:
    """Have a supervisor that runs with today's configuration, and return its stack's state."""
    state = load_state(layout)
    running = state is not None and Supervisor(state).answers()
    if state is None or not running:
        end_processes(remembered_commands(layout))
        state = settle_state(state)
    else:
        state = with_new_ports(state)
    if "postgres" in embedded and not state.postgres_folder:
        state = msgspec.structs.replace(state, postgres_folder=new_folder_if_root())
    save_state(layout, state)
    make_private_folder(layout.logs)
    say("preparing the servers")
    handed = handed_over(env_file, os.environ)
    workers = worker_programs(
        layout, state, settings_at(layout.home, env_file).kept_up, handed.by_configuration
    )
    programs = [*prepare_servers(layout, state, embedded), *workers]
    config = supervisor_config(
        layout,
        programs,
        port=state.ports["supervisor"],
        password=state.supervisor_password,
        as_root=os.geteuid() == 0,
        fingerprint=handed.fingerprint,
    )
    commands = [supervisor_command(layout), *(program.command for program in programs)]
    if running:
        before = layout.supervisor_config.read_text(encoding="utf-8")
        differing = differing_programs(before, config)
        if differing is not None and differing.isdisjoint(PROGRAM_OF.values()):
            write_private(layout.supervisor_config, config)
            remember_commands(layout, commands)
            # Also where the file is the same: an earlier call may have ended before this.
            if changed := Supervisor(state).reread():
                say(f"settings have changed: restarting {', '.join(changed)}")
            return state
        say("the settings have changed: restarting")
        _stop(layout, state, say)
    write_private(layout.supervisor_config, config)
    remember_commands(layout, commands)
    start_supervisor(layout, state, handed.by_supervisor)
    return state


def _stop(layout: Layout, state: StackState | None, say: Say) -> bool:
    supervisor = Supervisor(state) if state is not None else None
    if supervisor is None or not supervisor.answers():
        return end_processes(remembered_commands(layout)) > 0
    alive = [name for name, process in supervisor.states().items() if process.pid]
    for name in (*(process.name for process in PROCESSES), *PROGRAM_OF.values()):
        if name in alive:
            say(f"stopping {name}")
            supervisor.stop(name)
    supervisor.end()
    end_processes(remembered_commands(layout))
    return True


@contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    try:
        lock = layout.lock.open("w")
    except OSError as error:
        raise Failure(f"cannot write in MURMUR_HOME {layout.home}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
