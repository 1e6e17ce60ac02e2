"""What there is to know of a stack that runs, or does not."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from deploy.embedded.lag import TopicLag, topic_lags
from deploy.embedded.layout import Layout
from deploy.embedded.readiness import probe_check
from deploy.embedded.served_model import chosen_model, served_model
from deploy.embedded.server_programs import PROGRAM_OF
from deploy.embedded.stack import settings_at
from deploy.embedded.stack_state import PAGE_PORT, StackState, load_state
from deploy.embedded.supervision import ProcessState, Supervisor
from deploy.embedded.worker_programs import metrics_url, probe_url
from deploy.installation.server_faults import server_faults
from model_server.bundle import RefusedBundle
from schemas.events import ModelIdentity
from schemas.failures import Failure
from schemas.process.process_list import PROCESSES, SCORE, SERVE
from schemas.settings import Settings, servers_of_the_user
from schemas.transport.postgres import connect_postgres

_UP: Final = ("running", "starting")
_PASSWORD: Final = re.compile(r"(://[^/@:]*:)[^/@]*@")


@dataclass(frozen=True)
class Status:
    """A stack's state. The addresses hold passwords, unless they are `masked`.

    `running` says that the supervisor answers and keeps every embedded server up; the workers may
    have been left out. Where none answers, addresses and lag are those of the servers that a person
    has named. `lag` is None, and `lag_fault` says why, where Kafka does not tell. `faults` has a
    sentence for everything that keeps the servers from doing their work. `models` has the model
    that each scoring process says it serves; `chosen_model` is the one that should
    serve: MURMUR_MODEL's, else the one that was promoted last.
    """

    home: str
    running: bool
    addresses: Mapping[str, str] = field(default_factory=dict)
    named_by_you: tuple[str, ...] = ()
    processes: tuple[ProcessState, ...] = ()
    probes: Mapping[str, str] = field(default_factory=dict)
    readiness: Mapping[str, str] = field(default_factory=dict)
    lag: tuple[TopicLag, ...] | None = None
    lag_fault: str = ""
    faults: tuple[str, ...] = ()
    models: Mapping[str, ModelIdentity] = field(default_factory=dict)
    chosen_model: ModelIdentity | None = None

    @property
    def needs_no_stack(self) -> bool:
        """Whether all servers are a person's own, and their Kafka answers."""
        return len(self.named_by_you) == len(PROGRAM_OF) and self.lag is not None

    @property
    def is_well(self) -> bool:
        """Whether the pipeline can work: a stack or one's own servers, and nothing at fault."""
        return (self.running or self.needs_no_stack) and not (self.faults or self.lag_fault)

    def masked(self) -> "Status":
        """Return the same without passwords."""
        shown = {name: without_password(address) for name, address in self.addresses.items()}
        return replace(self, addresses=shown)


def without_password(address: str) -> str:
    """Return an address with `***` for the password that it holds."""
    return _PASSWORD.sub(r"\1***@", address)


def status(home: Path, env_file: Path | None = Path(".env")) -> Status:
    """Ask a stack how it is; change nothing. Without one, a Kafka of one's own tells the lag."""
    layout = Layout.of(home)
    state = load_state(layout)
    own = tuple(sorted(servers_of_the_user(env_file)))
    settings = settings_at(layout.home, env_file)
    addresses = {
        "kafka": settings.kafka,
        "postgres": settings.postgres.get_secret_value(),
        "redis": settings.redis.get_secret_value(),
    }
    chosen, model_faults = _chosen(settings)
    supervisor = Supervisor(state) if state is not None else None
    if state is None or supervisor is None or not supervisor.answers():
        lag, lag_fault = _lag(settings) if "kafka" in own else (None, "")
        return Status(
            home=str(layout.home),
            running=False,
            addresses={name: addresses[name] for name in own},
            named_by_you=own,
            lag=lag,
            lag_fault=lag_fault,
            faults=(
                (*server_faults(settings, ask_kafka=lag is not None), *model_faults) if own else ()
            ),
            chosen_model=chosen if own else None,
        )
    states = supervisor.states()
    servers = [program for program in PROGRAM_OF.values() if program in states]
    workers = [process.name for process in PROCESSES if process.name in states]
    alive = [name for name in workers if states[name].pid]
    lag, lag_fault = _lag(settings)
    if SERVE.name in alive and PAGE_PORT in state.ports:
        addresses["page"] = state.page
    return Status(
        home=str(layout.home),
        running=all(states[name].state in _UP for name in servers),
        addresses=addresses,
        named_by_you=own,
        processes=tuple(states[name] for name in (*servers, *workers)),
        probes={name: probe_url(state, name) for name in alive},
        readiness={name: probe_check(probe_url(state, name))() or "ready" for name in alive},
        lag=lag,
        lag_fault=lag_fault,
        faults=(*server_faults(settings, ask_kafka=lag is not None), *model_faults),
        models=_served(state, alive),
        chosen_model=chosen,
    )


def _chosen(settings: Settings) -> tuple[ModelIdentity | None, tuple[str, ...]]:
    try:
        return chosen_model(
            settings.model_choice,
            lambda: connect_postgres(settings.postgres_connection, "status"),
        ), ()
    except RefusedBundle as refused:
        return None, (str(refused),)


def _served(state: StackState, alive: Collection[str]) -> dict[str, ModelIdentity]:
    served = {
        name: served_model(metrics_url(state, name)) for name in (SCORE.name,) if name in alive
    }
    return {name: model for name, model in served.items() if model is not None}


def _lag(settings: Settings) -> tuple[tuple[TopicLag, ...] | None, str]:
    try:
        return tuple(topic_lags(settings.cluster)), ""
    except Failure as failure:
        return None, str(failure)
