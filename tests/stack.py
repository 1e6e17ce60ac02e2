"""The servers of a test session, and each test's own corner of them."""

import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from confluent_kafka.admin import AdminClient
from psycopg2 import sql
from pydantic import SecretStr

from deploy.embedded import stack
from deploy.installation.migrations import apply_migrations
from deploy.installation.topics import TopicInstaller
from schemas.settings import Settings
from schemas.topics import topic_specs
from schemas.transport.cache import connect_redis
from schemas.transport.kafka_config import kafka_config

MURMUR = Path(sys.executable).with_name("murmur")
"""The command, for tests that run it as a person does."""

_REDIS_DATABASE = 9
"""Tests flush this one; on a Redis of the user's, the others are left alone."""


def is_named_server(variable: str) -> bool:
    """Tell whether a variable names a server that the tests shall use, or how to reach it."""
    return variable in ("MURMUR_POSTGRES", "MURMUR_REDIS") or variable.startswith("MURMUR_KAFKA")


@contextmanager
def running_servers() -> Iterator[Settings]:
    """Start the servers that nobody has named, in a home of their own; stop and delete them."""
    home = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        yield stack.up(home, env_file=None, servers_only=True)
    finally:
        stack.remove(home)


@contextmanager
def isolated(settings: Settings, template: str) -> Iterator[Settings]:
    """Yield settings with own topics, an own migrated database and an empty Redis."""
    with ExitStack() as cleanup:
        name = f"test-{secrets.token_hex(4)}"
        database = cleanup.enter_context(own_database(settings, template))
        own = database.model_copy(
            update={
                "topic_prefix": f"{name}.",
                "redis": SecretStr(_with_path(settings.redis_uri, str(_REDIS_DATABASE))),
            }
        )
        with connect_redis(own.redis_connection) as cache:
            cache.flushdb()
        cleanup.callback(_delete_topics, own)
        TopicInstaller(own.cluster, own.topic_layout).make(topic_specs(own.names, own.topic_layout))
        yield own


@contextmanager
def own_database(settings: Settings, template: str = "template0") -> Iterator[Settings]:
    """Yield settings with a database of their own, copied from a template; drop it afterwards."""
    name = f"murmur_test_{secrets.token_hex(4)}"
    _administer(settings, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        uri = _with_path(settings.postgres_uri, name)
        yield settings.model_copy(update={"postgres": SecretStr(uri)})
    finally:
        _administer(settings, "DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def migrated_template(settings: Settings) -> Iterator[str]:
    """Yield the name of a migrated database, to copy others from."""
    with own_database(settings) as own:
        apply_migrations(own.postgres_connection)
        yield urlsplit(own.postgres_uri).path.removeprefix("/")


def process_environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which a `murmur` process has exactly these settings."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MURMUR_")}
    for name, value in settings:
        if value is not None:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            environment[f"MURMUR_{name.upper()}"] = text
    return environment


def _administer(settings: Settings, statement: str, *names: str) -> None:
    connection = psycopg2.connect(settings.postgres_uri)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
    finally:
        connection.close()


def _delete_topics(settings: Settings) -> None:
    admin = AdminClient(kafka_config(settings.kafka_connection, "murmur-tests"))
    topics = [
        n for n in admin.list_topics(timeout=30).topics if n.startswith(settings.topic_prefix)
    ]
    for future in admin.delete_topics(topics).values() if topics else ():
        future.result(timeout=30)


def _with_path(uri: str, path: str) -> str:
    return urlsplit(uri)._replace(path=f"/{path}").geturl()
