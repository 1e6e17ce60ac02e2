"""Looking at everything that Murmur needs here: each part of it alone, so that one that fails does
not hide the others. Nothing is changed."""

import os
import shutil
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import redis

from deploy.doctor.finding import Finding, note, well, wrong
from deploy.doctor.judging import (
    judge_certificate,
    judge_clock,
    judge_disk,
    judge_encoding,
    judge_postgres_version,
    judge_python,
    judge_redis_version,
    judge_rights_on_tables,
)
from deploy.doctor.kafka_rights import judge_rights_on_kafka, rights_held
from deploy.embedded.served_model import chosen_model, in_short
from deploy.installation.migrations import missing_migrations
from deploy.installation.tell_again import untold_promotion
from deploy.installation.topics import TopicInstaller
from model_server.bundle import RefusedBundle, default_bundle, open_bundle
from schemas.failures import Failure
from schemas.process.process_list import PROCESSES, Need, ProcessSpec
from schemas.settings import Settings
from schemas.topics import topic_specs
from schemas.transport.cache import connect_redis, why_redis_fails
from schemas.transport.kafka_trust import kafka_refusal
from schemas.transport.postgres import Connection, connect_postgres

Clock = Callable[[], datetime]


def examine(
    settings: Settings,
    *,
    processes: Sequence[ProcessSpec] = (),
    clock: Clock = lambda: datetime.now(UTC),
) -> list[Finding]:
    """Return what was found, subject by subject; raises nothing for what is wrong with a server.

    With `processes`, what is missing for one of them is wrong, and what none of them needs is not
    looked at. Without any, the rights of a single process are enough.
    """
    needed = {need for process in processes or PROCESSES for need in process.needs}
    findings = [
        judge_python(sys.version_info[:2]),
        well("settings", "every setting can be read"),
        *_of_home(settings.home),
        *_of_certificates(settings, clock()),
        *_of_kafka(settings, processes),
    ]
    if Need.POSTGRES in needed:
        findings += _of_postgres(settings, processes, clock)
    if Need.REDIS in needed:
        findings += _of_redis(settings)
    findings += _of_models(settings)
    if Need.X_TOKEN in needed:
        findings += _of_x(settings, needs_token=bool(processes))
    return findings


def _of_home(home: Path) -> Iterator[Finding]:
    standing = next(path for path in (home.absolute(), *home.absolute().parents) if path.exists())
    if not os.access(standing, os.W_OK | os.X_OK):
        yield wrong(
            "permissions",
            f"MURMUR_HOME {home.absolute()} cannot be written",
            "set MURMUR_HOME to a folder of yours",
        )
    usage = shutil.disk_usage(standing)
    yield judge_disk(str(standing), usage.used, usage.free)


def _of_certificates(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Judge the certificates that lie here; the servers' own are judged by talking to them."""
    for what, file in (
        ("the CA of Kafka", settings.kafka_ssl_ca_file),
        ("this client's certificate for Kafka", settings.kafka_ssl_certificate_file),
    ):
        if file is None:
            continue
        expiry = _expiry(file)
        if expiry is None:
            yield wrong("certificates", f"{what}: {file} is no certificate", "name another file")
        else:
            yield judge_certificate(what, expiry - now)


def _expiry(file: Path) -> datetime | None:
    """Return when the first certificate of a PEM file ends; None where there is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
        ends = context.get_ca_certs()
    except (OSError, ssl.SSLError):
        return None
    moments = [ssl.cert_time_to_seconds(str(found["notAfter"])) for found in ends]
    if not moments:
        # A certificate that is no authority's is loaded, and not listed.
        decoded: Any = ssl._ssl._test_decode_cert(str(file))  # type: ignore[attr-defined]  # noqa: SLF001
        moments = [ssl.cert_time_to_seconds(decoded["notAfter"])]
    return datetime.fromtimestamp(min(moments), UTC)


def _of_kafka(settings: Settings, processes: Sequence[ProcessSpec]) -> Iterator[Finding]:
    names = [spec.name for spec in topic_specs(settings.names, settings.topic_layout)]
    try:
        refusal = kafka_refusal(settings.kafka_connection)
        if refusal is not None:
            yield wrong("kafka", refusal, "mend it; the processes end until it is")
            return
        held = rights_held(settings.cluster, names, processes or PROCESSES)
        seen = [name for name in names if "DESCRIBE_CONFIGS" in held.on_topics.get(name, ())]
        report = TopicInstaller(settings.cluster, settings.topic_layout).report(seen)
    except Failure as failure:
        yield wrong("kafka", str(failure), "start Kafka, or correct MURMUR_KAFKA")
        return
    yield well("kafka", f"answers ({settings.kafka_connection.security_protocol})")
    for name in held.missing_topics:
        yield wrong("topics", f"{name} is missing", "run `murmur init`")
    for sentence in report.wrong:
        yield wrong("topics", sentence, "run `murmur init --alter`: it would lose data")
    for sentence in report.differing:
        yield note("topics", sentence, "`murmur init --alter` changes it")
    if len(seen) < len(names) - len(held.missing_topics):
        yield note(
            "topics",
            "this user may not see how every topic is set up",
            "ask as the user of `murmur init`, who has DescribeConfigs",
        )
    elif not (report.wrong or report.differing or held.missing_topics):
        yield well("topics", "all are there, as the settings say")
    if not held.missing_topics:
        yield from judge_rights_on_kafka(held, processes, settings.names)


def _of_postgres(
    settings: Settings, processes: Sequence[ProcessSpec], clock: Clock
) -> Iterator[Finding]:
    try:
        with closing(connect_postgres(settings.postgres_connection, "doctor")) as connection:
            yield judge_postgres_version(connection.server_version)
            yield judge_encoding(str(connection.get_parameter_status("server_encoding")))
            yield judge_clock(clock() - _time_of(connection))
            lacking = missing_migrations(settings.postgres_connection)
            if lacking:
                told = f"{len(lacking)} are missing, the first {lacking[0]}"
                yield wrong("migrations", told, "run `murmur init`")
                return
            yield well("migrations", "all are applied")
            lacking, may_create = _rights(connection)
            yield from judge_rights_on_tables(lacking, processes, may_create=may_create)
    except Failure as failure:
        yield wrong("postgres", str(failure), "start PostgreSQL, or correct MURMUR_POSTGRES")
    except psycopg2.Error as error:
        yield wrong("postgres", " ".join(str(error).split()), "see PostgreSQL's log")


def _time_of(connection: Connection) -> datetime:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: tuple[datetime] = cursor.fetchall()[0]
        return found[0]


def _rights(connection: Connection) -> tuple[list[str], bool]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c"
            " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND c.relnamespace = current_schema()::regnamespace AND NOT"
            " (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')"
            "  AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))"
        )
        lacking = [str(row[0]) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT has_schema_privilege(current_schema(), 'CREATE')"
            " AND pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'tweets'::regclass),"
            " 'USAGE')"
        )
        return lacking, cursor.fetchall()[0] == (True,)


def _of_redis(settings: Settings) -> Iterator[Finding]:
    try:
        with closing(connect_redis(settings.redis_connection)) as client:
            client.ping()
            about: Any = client.info()
    except Failure as failure:
        yield wrong("redis", str(failure), "start Redis, or correct MURMUR_REDIS")
        return
    except redis.RedisError as error:
        yield wrong("redis", f"does not answer: {why_redis_fails(error)}", "correct MURMUR_REDIS")
        return
    # Valkey names itself beside the version of Redis that it speaks.
    yield from judge_redis_version(
        str(about.get("redis_version", "0")), str(about.get("maxmemory_policy", ""))
    )


def _of_models(settings: Settings) -> Iterator[Finding]:
    try:
        chosen = chosen_model(
            settings.model_choice, lambda: connect_postgres(settings.postgres_connection, "doctor")
        )
        opened = open_bundle(settings.model or default_bundle())
    except (RefusedBundle, Failure) as refused:
        yield wrong("models", str(refused), "name another bundle in MURMUR_MODEL")
        return
    yield well("models", f"{in_short(chosen)} serves")
    if (untold := _untold(settings)) is not None:
        yield wrong("models", untold, "run `murmur init`: it tells Kafka again")
    if opened.identity != chosen:
        yield well("models", f"it is fetched from {settings.bundle_shelf}")


def _untold(settings: Settings) -> str | None:
    try:
        return untold_promotion(settings.postgres_connection, settings.cluster)
    except (Failure, psycopg2.Error):
        # Without tables nothing was promoted; that they are missing is told elsewhere.
        return None


def _of_x(settings: Settings, *, needs_token: bool) -> Iterator[Finding]:
    if not (settings.x_bearer_token.get_secret_value() or settings.x_bearer_token_file):
        if needs_token:
            yield wrong("x", "there is no token", "set MURMUR_X_BEARER_TOKEN_FILE")
        return
    try:
        settings.x_token  # noqa: B018  it raises where the token is none
    except Failure as failure:
        yield wrong("x", str(failure), "write the token into that file")
        return
    yield well("x", "a token is there; `murmur rules list` asks X whether it is good")
