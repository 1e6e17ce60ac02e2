"""The commands of a running stack: Kafka's own tools, the status."""

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from pydantic import SecretStr

from schemas.settings import Settings
from schemas.topics import SCORED
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from tests.integration.traces import leave_a_trace
from tests.stack import MURMUR, process_environment


def test_kafkas_own_consumer_reads_and_commits_as_a_named_group(settings: Settings) -> None:
    leave_a_trace(settings, "for-everyone")
    answer = subprocess.run(
        [
            MURMUR,
            "kafka",
            "console-consumer",
            "--topic",
            settings.names.topic(SCORED),
            "--group",
            "a-reader",
            "--from-beginning",
            "--max-messages",
            "1",
        ],
        env=process_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout == "for-everyone\n"
    consumer = Consumer({**kafka_config(settings.kafka_connection, "test"), "group.id": "a-reader"})
    partitions = [
        TopicPartition(settings.names.topic(SCORED), p) for p in range(settings.topic_partitions)
    ]
    committed = consumer.committed(partitions, timeout=10)
    consumer.close()
    assert sum(partition.offset for partition in committed if partition.offset > 0) == 1


def test_psql_needs_no_address_and_shows_none(settings: Settings) -> None:
    command_of_psql = "\\! tr '\\0' ' ' < /proc/$PPID/cmdline"
    answer = subprocess.run(
        [MURMUR, "psql", "-tA", "-c", "SELECT current_database()", "-c", command_of_psql],
        env=process_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    database, command = answer.stdout.split("\n", 1)
    assert settings.postgres_uri.endswith(f"/{database}")
    assert "SELECT" in command
    assert "://" not in command


def test_the_status_of_a_stack_is_one_document(stack: Settings) -> None:
    answer = subprocess.run(
        [MURMUR, "status", "--json"],
        env={**os.environ, "MURMUR_HOME": str(stack.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    document = json.loads(answer.stdout)
    assert document["running"] is True
    assert document["addresses"]["kafka"] == stack.kafka
    assert {group["topic"] for group in document["lag"]} == {
        "tweets.raw",
        "tweets.scored",
        "tweets.dead-letter",
    }


def test_the_status_without_a_stack_has_the_lag_of_ones_own_kafka(
    settings: Settings, tmp_path: Path
) -> None:
    leave_a_trace(settings, "waiting")
    environment = process_environment(settings.model_copy(update={"home": tmp_path / "none"}))
    answer = subprocess.run(
        [MURMUR, "status"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, *lines = answer.stdout.splitlines()
    assert first.startswith("No stack runs in ")
    assert "`murmur up`" not in first
    sink = f"{settings.topic_prefix}murmur-sink"
    assert f"{sink} has 1 to do in {settings.names.topic(SCORED)}" in lines
    assert "***@" in answer.stdout
    environment["MURMUR_KAFKA"] = "127.0.0.1:1"
    answer = subprocess.run(
        [MURMUR, "status"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (answer.returncode, "lag unknown: Kafka did not answer" in answer.stdout) == (1, True)


def status_of(settings: Settings, home: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [MURMUR, "status", *options],
        env=process_environment(settings.model_copy(update={"home": home / "none"})),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_status_is_good_only_where_every_server_can_do_its_work(
    settings: Settings, tmp_path: Path
) -> None:
    well = status_of(settings, tmp_path, "--json")
    assert (well.returncode, json.loads(well.stdout)["faults"]) == (0, [])

    before_init = settings.model_copy(update={"topic_prefix": "nobody-made-me."})
    told = status_of(before_init, tmp_path)
    assert told.returncode == 1
    assert "Kafka lacks the topic nobody-made-me.tweets.raw: run `murmur init`" in told.stdout

    server = settings.postgres_uri.rpartition("@")[2]
    refused = SecretStr(f"postgresql://nobody:Wrong-One@{server}")
    told = status_of(settings.model_copy(update={"postgres": refused}), tmp_path)
    assert told.returncode == 1
    assert "PostgreSQL refuses, or is not trusted" in told.stdout
    assert "Wrong-One" not in told.stdout

    no_redis = settings.model_copy(update={"redis": SecretStr("redis://127.0.0.1:1/0")})
    told = status_of(no_redis, tmp_path)
    assert (told.returncode, "Redis does not answer" in told.stdout) == (1, True)


def test_a_status_names_a_postgres_that_was_filled_from_another_kafka(
    settings: Settings, tmp_path: Path
) -> None:
    with (
        closing(connect_postgres(settings.postgres_connection, "test")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO positions (consumer, topic_id, topic, partition, next_offset)"
            " VALUES ('sink', 'another', %s, 0, 9)",
            (settings.names.topic(SCORED),),
        )
    told = status_of(settings, tmp_path)
    assert told.returncode == 1
    assert "this is another Kafka" in told.stdout


def test_a_status_shows_passwords_only_where_they_are_asked_for(
    settings: Settings, tmp_path: Path
) -> None:
    assert settings.postgres_uri not in status_of(settings, tmp_path).stdout
    assert settings.postgres_uri not in status_of(settings, tmp_path, "--json").stdout
    assert settings.postgres_uri in status_of(settings, tmp_path, "--show-secrets").stdout
