"""The servers of a stack: preparing them, starting them and waiting until they answer."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import psycopg2
from psycopg2 import sql

from deploy.embedded.java import java_command
from deploy.embedded.kafka_broker import prepare_kafka
from deploy.embedded.kafka_jars import ensure_kafka_jars
from deploy.embedded.layout import Layout
from deploy.embedded.postgres_server import prepare_postgres
from deploy.embedded.readiness import Check, kafka_check, postgres_check, redis_check
from deploy.embedded.stack_state import DATABASE, StackState
from deploy.embedded.start_programs import Say, start_and_await
from deploy.embedded.supervised_program import Program
from deploy.embedded.supervision import Supervisor
from deploy.embedded.valkey_server import prepare_valkey
from schemas.setting_views import Cluster

PROGRAM_OF: Final = {"kafka": "kafka", "postgres": "postgres", "redis": "valkey"}
"""The program that stands for each server's setting, in the order in which they are stopped."""

_START_TIMEOUT_S = 120.0
"""Some seconds are usual; after a hard stop, recovery reads what had not been flushed."""


def addresses(state: StackState, embedded: Collection[str]) -> dict[str, str]:
    """Return the addresses of the embedded servers, by the names of their settings."""
    known = {
        "kafka": state.kafka_address,
        "postgres": state.postgres_uri(),
        "redis": state.redis_uri,
    }
    return {name: known[name] for name in PROGRAM_OF if name in embedded}


def prepare_servers(layout: Layout, state: StackState, embedded: Collection[str]) -> list[Program]:
    """Fetch, install and initialise what the embedded servers lack; return their programs.

    May be repeated, and changes nothing that a running server uses.
    """
    prepare: Mapping[str, Callable[[], Program]] = {
        "kafka": lambda: prepare_kafka(layout, state, java_command(), ensure_kafka_jars()),
        "postgres": lambda: prepare_postgres(layout, state),
        "redis": lambda: prepare_valkey(layout, state),
    }
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda name: prepare[name](), addresses(state, embedded)))


def await_servers(
    layout: Layout,
    state: StackState,
    cluster: Cluster,
    supervisor: Supervisor,
    embedded: Collection[str],
    say: Say,
) -> None:
    """Start the embedded servers and return when all of them do their work."""
    checks: Mapping[str, Callable[[], Check]] = {
        "kafka": lambda: kafka_check(cluster),
        "postgres": lambda: postgres_check(state.postgres_uri("postgres")),
        "redis": lambda: redis_check(state.redis_uri),
    }
    start_and_await(
        layout,
        supervisor,
        {PROGRAM_OF[name]: checks[name]() for name in addresses(state, embedded)},
        timeout_s=_START_TIMEOUT_S,
        say=say,
    )
    if "postgres" in embedded:
        _ensure_database(state)


def _ensure_database(state: StackState) -> None:
    connection = psycopg2.connect(state.postgres_uri("postgres"), connect_timeout=10)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    finally:
        connection.close()
