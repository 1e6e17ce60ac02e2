"""What a stack remembers from one start to the next: ports, passwords, where PostgreSQL lies."""

import random
import secrets
import string
from collections.abc import Callable
from typing import Final

import msgspec

from deploy.embedded.layout import Layout
from deploy.embedded.ports import LOOPBACK, candidate_ports, is_free_port, settle_ports
from schemas.events import ModelIdentity
from schemas.failures import Failure
from schemas.private_files import write_private
from schemas.process.process_list import PROCESSES

PAGE_PORT: Final = "page"
_PAGE_FIRST: Final = 8100
"""Where people expect the page; another port where somebody has it."""

PORT_NAMES: Final = (
    "kafka",
    "kafka-controller",
    "postgres",
    "redis",
    "supervisor",
    *(process.name for process in PROCESSES),
    PAGE_PORT,
)
DATABASE: Final = "murmur"
DATABASE_USER: Final = "murmur"


class StackState(msgspec.Struct, frozen=True):
    """Ports by name, generated passwords, and the folder that PostgreSQL got when run by root.

    `model` is the one that scoring was last started with.
    """

    ports: dict[str, int]
    postgres_password: str
    redis_password: str
    supervisor_password: str
    kafka_cluster_id: str
    postgres_folder: str = ""
    model: ModelIdentity | None = None

    @property
    def kafka_address(self) -> str:
        """The bootstrap server."""
        return f"{LOOPBACK}:{self.ports['kafka']}"

    @property
    def redis_uri(self) -> str:
        """Valkey's URI, with its password."""
        return f"redis://:{self.redis_password}@{LOOPBACK}:{self.ports['redis']}/0"

    @property
    def page(self) -> str:
        """The address of the page, where `serve` is kept up."""
        return f"http://{LOOPBACK}:{self.ports[PAGE_PORT]}/page"

    def postgres_uri(self, database: str = DATABASE) -> str:
        """Return PostgreSQL's URI, with its password."""
        port = self.ports["postgres"]
        return f"postgresql://{DATABASE_USER}:{self.postgres_password}@{LOOPBACK}:{port}/{database}"


def load_state(layout: Layout) -> StackState | None:
    """Return what the stack remembers; None before its first start."""
    try:
        return msgspec.json.decode(layout.state.read_bytes(), type=StackState)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.MsgspecError as error:
        raise Failure(f"{layout.state} is damaged ({error}): restore it, or remove it") from error


def save_state(layout: Layout, state: StackState) -> None:
    """Write the state, mode 0600."""
    write_private(layout.state, msgspec.json.format(msgspec.json.encode(state)).decode() + "\n")


def settle_state(
    state: StackState | None, is_free: Callable[[int], bool] = is_free_port
) -> StackState:
    """Return a state whose ports are free now; all that was remembered and still holds stays.

    For a stack that does not run: its own servers would count as strangers.
    """
    ports = settle_ports(
        PORT_NAMES,
        {PAGE_PORT: _PAGE_FIRST} | (state.ports if state else {}),
        candidate_ports(random.SystemRandom()),
        is_free,
    )
    if state is not None:
        return msgspec.structs.replace(state, ports=ports)
    return StackState(
        ports=ports,
        postgres_password=secrets.token_hex(24),
        redis_password=secrets.token_hex(24),
        supervisor_password=secrets.token_hex(24),
        kafka_cluster_id=_new_cluster_id(),
    )


def with_new_ports(state: StackState, is_free: Callable[[int], bool] = is_free_port) -> StackState:
    """Return the state of a stack that runs, with ports for what a newer release has besides."""
    used = set(state.ports.values())
    return settle_state(state, lambda port: port in used or is_free(port))


def _new_cluster_id() -> str:
    # 16 bytes in base64; letters and digits only, as a leading dash would be read as an option.
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(21)) + "w"
