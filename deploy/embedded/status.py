"""What there is to know of a stack that runs, or does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.embedded.lag import TopicLag, topic_lags
from deploy.embedded.layout import Layout
from deploy.embedded.readiness import probe_check
from deploy.embedded.servers import PROGRAM_OF
from deploy.embedded.stack import settings_at
from deploy.embedded.state import load_state
from deploy.embedded.supervision import ProcessState, Supervisor
from deploy.embedded.workers import WORKERS, probe_url
from schemas.failures import Failure
from schemas.settings import servers_of_the_user

_UP: Final = ("running", "starting")


@dataclass(frozen=True)
class Status:
    """A stack's state. The addresses hold passwords.

    `running` says that the supervisor answers and keeps every embedded server up; the workers may
    have been left out. `lag` is None, and `lag_fault` says why, where Kafka does not tell.
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


def status(home: Path, env_file: Path | None = Path(".env")) -> Status:
    """Ask a stack how it is; change nothing."""
    layout = Layout.of(home)
    state = load_state(layout)
    own = tuple(sorted(servers_of_the_user(env_file)))
    supervisor = Supervisor(state) if state is not None else None
    if state is None or supervisor is None or not supervisor.answers():
        return Status(home=str(layout.home), running=False, named_by_you=own)
    settings = settings_at(layout.home, env_file)
    states = supervisor.states()
    servers = [program for program in PROGRAM_OF.values() if program in states]
    alive = [name for name in WORKERS if states[name].pid]
    lag: tuple[TopicLag, ...] | None = None
    lag_fault = ""
    try:
        lag = tuple(topic_lags(settings))
    except Failure as failure:
        lag_fault = str(failure)
    return Status(
        home=str(layout.home),
        running=all(states[name].state in _UP for name in servers),
        addresses={
            "kafka": settings.kafka,
            "postgres": settings.postgres.get_secret_value(),
            "redis": settings.redis.get_secret_value(),
        },
        named_by_you=own,
        processes=tuple(states[name] for name in (*servers, *WORKERS)),
        probes={name: probe_url(state, name) for name in alive},
        readiness={name: probe_check(probe_url(state, name))() or "ready" for name in alive},
        lag=lag,
        lag_fault=lag_fault,
    )
