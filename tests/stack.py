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
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
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
        settings = stack.up(home, env_file=None, servers_only=True)
        if "MURMUR_POSTGRES" not in os.environ:
            _wait_for_no_disk(settings)
        yield settings
    finally:
        stack.remove(home)


@contextmanager
def isolated(
    settings: Settings, template: str, spare_topics: list[str] | None = None
) -> Iterator[Settings]:
    """Yield settings with own topics, an own migrated database and an empty Redis.

    `spare_topics` are prefixes of topics that earlier calls left as they were made: one of them
    serves again.
    """
    with ExitStack() as cleanup:
        database = cleanup.enter_context(own_database(settings, template))
        own = database.model_copy(
            update={"redis": SecretStr(_with_path(settings.redis_uri, str(_REDIS_DATABASE)))}
        )
        with connect_redis(own.redis_connection) as cache:
            cache.flushdb()
        yield cleanup.enter_context(_own_topics(own, spare_topics))


@contextmanager
def _own_topics(settings: Settings, spare: list[str] | None) -> Iterator[Settings]:
    prefix = spare.pop() if spare else f"test-{secrets.token_hex(4)}."
    own = settings.model_copy(update={"topic_prefix": prefix})
    installer = TopicInstaller(own.cluster, own.topic_layout)
    try:
        installer.make(installer.report().missing)
        yield own
    finally:
        # Most tests ask PostgreSQL alone, and making and deleting topics takes half a second.
        if spare is not None and _are_as_made(own):
            spare.append(prefix)
        else:
            delete_topics(own)


def _are_as_made(settings: Settings) -> bool:
    """Tell whether nobody has written to the topics, changed them or read them in a group."""
    admin = AdminClient(kafka_config(settings.kafka_connection, "murmur-tests"))
    made = {t.name: t.partitions for t in topic_specs(settings.names, settings.topic_layout)}
    found = {
        name: len(topic.partitions)
        for name, topic in admin.list_topics(timeout=30).topics.items()
        if name.startswith(settings.topic_prefix)
    }
    groups = admin.list_consumer_groups().result(timeout=30).valid
    if found != made or any(g.group_id.startswith(settings.topic_prefix) for g in groups):
        return False
    report = TopicInstaller(settings.cluster, settings.topic_layout).report()
    ends = admin.list_offsets(
        {
            TopicPartition(name, number): OffsetSpec.latest()
            for name, partitions in made.items()
            for number in range(partitions)
        }
    )
    try:
        empty = all(end.result(timeout=30).offset == 0 for end in ends.values())
    except KafkaException:  # where a partition has no leader yet: the test was quicker
        return False
    return empty and not (report.differing or report.wrong)


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


def _wait_for_no_disk(settings: Settings) -> None:
    """Let PostgreSQL leave to the system when it writes: what a killed one had written stays."""
    for name in ("fsync", "full_page_writes"):
        _administer(settings, "ALTER SYSTEM SET {} = off", name)
    _administer(settings, "SELECT pg_reload_conf()")


def _administer(settings: Settings, statement: str, *names: str) -> None:
    connection = psycopg2.connect(settings.postgres_uri)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
    finally:
        connection.close()


def delete_topics(settings: Settings) -> None:
    """Delete all topics with the settings' prefix."""
    admin = AdminClient(kafka_config(settings.kafka_connection, "murmur-tests"))
    topics = [
        n for n in admin.list_topics(timeout=30).topics if n.startswith(settings.topic_prefix)
    ]
    for future in admin.delete_topics(topics).values() if topics else ():
        future.result(timeout=30)


def _with_path(uri: str, path: str) -> str:
    return urlsplit(uri)._replace(path=f"/{path}").geturl()
