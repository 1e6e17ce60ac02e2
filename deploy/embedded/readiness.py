"""Whether each server can do its work now: asked, not guessed from an open port."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable

import psycopg2
import redis
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.setting_views import Cluster
from schemas.topics import RAW
from schemas.transport.kafka_config import kafka_config

Check = Callable[[], str | None]
"""Asks once: None when ready, else why not."""


def kafka_check(cluster: Cluster) -> Check:
    """Ready when a group coordinator answers: it loads after the broker listens."""

    def check() -> str | None:
        # A consumer, since asking through librdkafka 2.16's AdminClient aborts the whole process
        # when the broker is not there yet. Its log of vain attempts would only frighten.
        consumer = Consumer(
            {
                **kafka_config(cluster.kafka, "murmur-readiness"),
                "group.id": cluster.names.group("murmur-readiness"),
                "log_level": 0,
            }
        )
        try:
            consumer.committed([TopicPartition(cluster.names.topic(RAW), 0)], timeout=2)
        except KafkaException as error:
            return str(error.args[0].str())
        finally:
            consumer.close()
        return None

    return check


def postgres_check(uri: str) -> Check:
    """Ready when it answers a query."""

    def check() -> str | None:
        try:
            connection = psycopg2.connect(uri, connect_timeout=2)
        except psycopg2.OperationalError as error:
            return " ".join(str(error).split())
        connection.close()
        return None

    return check


def redis_check(uri: str) -> Check:
    """Ready when it answers PING."""

    def check() -> str | None:
        try:
            with redis.Redis.from_url(uri, socket_connect_timeout=2, socket_timeout=2) as client:
                client.ping()
        except redis.RedisError as error:
            return str(error)
        return None

    return check


def probe_check(url: str) -> Check:
    """Ready when a process' /readyz answers 200."""

    def check() -> str | None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own loopback URL
                answer.read()
        except urllib.error.HTTPError as error:
            return error.read().decode(errors="replace").strip()
        except OSError:
            return "not answering"
        return None

    return check


def await_ready(check: Check, timeout_s: float, pause_s: float = 0.1) -> str | None:
    """Ask until it is ready; return None then, or the last reason after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while (reason := check()) is not None:
        if time.monotonic() > deadline:
            return reason
        time.sleep(pause_s)
    return None
