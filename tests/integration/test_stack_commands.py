"""The commands of a running stack: Kafka's own tools, the status."""

import json
import os
import subprocess
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from schemas.settings import Settings
from schemas.topics import SCORED, topic_name
from schemas.transport.kafka_config import kafka_config
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
            topic_name(settings, SCORED),
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
    consumer = Consumer({**kafka_config(settings, "test"), "group.id": "a-reader"})
    partitions = [
        TopicPartition(topic_name(settings, SCORED), p) for p in range(settings.topic_partitions)
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
    assert f"{sink} has 1 to do in {topic_name(settings, SCORED)}" in lines
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
