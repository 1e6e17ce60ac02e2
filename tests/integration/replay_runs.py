"""Replays in processes of their own, and what they leave in Kafka and PostgreSQL."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.codec import Headers, decode_raw
from schemas.events import RawEvent, TweetPosted
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW
from schemas.transport.dead_letters import DeadLetter, SourcePosition, from_message
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.stack import MURMUR, process_environment

FIRST_ID = 1_590_000_000_000_000_000
_NO_LEADER_YET: Final = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)


def tweet_line(number: int, text: str = "some words") -> bytes:
    document = {"data": {"id": str(FIRST_ID + number), "text": f"{text} {number}"}}
    return msgspec.json.encode(document) + b"\n"


def archive(folder: Path, *lines: bytes, name: str = "tweets.jsonl") -> Path:
    """Write lines to a file."""
    path = folder / name
    path.write_bytes(b"".join(lines))
    return path


@contextmanager
def running(settings: Settings, *arguments: object) -> Iterator["subprocess.Popen[bytes]"]:
    """A replay in a process of its own, which does not outlive the block."""
    with subprocess.Popen(
        [MURMUR, "replay", *map(str, arguments)],
        env=process_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def replay(settings: Settings, *arguments: object, code: int = 0) -> dict[str, Any]:
    with running(settings, *arguments, "--json") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err.decode()
    report: dict[str, Any] = json.loads(out)
    return report


def refused(settings: Settings, *arguments: object, code: int) -> str:
    with running(settings, *arguments) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, b"")
    return err.decode()


def messages(settings: Settings, topic: str) -> list[Message]:
    """All messages that a topic holds now, partition by partition."""
    return list(_messages(settings, settings.names.topic(topic)))


def _messages(settings: Settings, topic: str) -> Iterator[Message]:
    consumer = Consumer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "group.id": "unused",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
        }
    )
    try:
        for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            place = TopicPartition(topic, number, 0)
            end = wait_until(partial(_ends, consumer, place), 60, f"a leader of {place}")[1]
            consumer.assign([place])
            for _ in range(end):
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                yield message
    finally:
        consumer.close()


def _ends(consumer: Consumer, place: TopicPartition) -> tuple[int, int] | None:
    """Return where a partition begins and ends; None while a new one has no leader yet."""
    try:
        ends: tuple[int, int] = consumer.get_watermark_offsets(place, timeout=10)
    except KafkaException as error:
        if error.args[0].code() in _NO_LEADER_YET:
            return None
        raise
    return ends


def raw_events(settings: Settings) -> list[RawEvent]:
    return [decode_raw(message.value()) for message in messages(settings, RAW)]


def numbers(settings: Settings) -> list[int]:
    events = raw_events(settings)
    return sorted(int(e.tweet_id) - FIRST_ID for e in events if isinstance(e, TweetPosted))


def dead_letters(settings: Settings) -> list[DeadLetter]:
    here = SourcePosition("here", 0, 0)
    return [
        from_message(message.key(), message.value(), headers_of(message), here)
        for message in messages(settings, DEAD_LETTER)
    ]


def headers_of(message: Message) -> Headers:
    headers = cast(list[tuple[str, bytes]] | None, message.headers())
    return headers or []


def value_of(message: Message) -> bytes:
    value = message.value()
    assert value is not None
    return value


def position(settings: Settings, run: str) -> tuple[int, int, int, bool]:
    """Records done, events published, dead letters, finished: of the run's only file."""
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT records_done, events_published, dead_letters, finished"
                " FROM replay_files WHERE run = %s",
                (run,),
            )
            rows = cursor.fetchall()
    finally:
        connection.close()
    return rows[0] if rows else (0, 0, 0, False)


def first_stored_position(settings: Settings, run: str, process: "subprocess.Popen[bytes]") -> int:
    def stored() -> int:
        assert process.poll() is None
        return position(settings, run)[0]

    return wait_until(stored, 60, "a stored position")
