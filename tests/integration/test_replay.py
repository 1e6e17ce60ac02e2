"""`murmur replay` against real servers: what it publishes, and what it refuses."""

import json
import socket
import urllib.request
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from schemas.settings import Settings
from schemas.topics import RAW, SCORE_GROUP
from schemas.transport.dead_letters import SourcePosition
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until
from tests.integration.replay_runs import (
    archive,
    dead_letters,
    headers_of,
    messages,
    numbers,
    position,
    refused,
    replay,
    running,
    tweet_line,
    value_of,
)
from tests.metrics_page import differences


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
    return port


def test_every_line_becomes_a_confirmed_event_under_its_key(
    settings: Settings, tmp_path: Path
) -> None:
    path = archive(tmp_path, *map(tweet_line, range(500)))
    report = replay(settings, path, "--run", "all")
    assert report["events"] == 500
    assert report["outcome"] == "finished"
    assert report["files"][0]["events"] == {"TweetPosted": 500}
    assert numbers(settings) == list(range(500))
    for message in messages(settings, RAW):
        assert message.key() == json.loads(value_of(message))["root_id"].encode()
        assert headers_of(message) == [("run", b"all"), ("type", b"TweetPosted")]
    assert position(settings, "all") == (500, 500, 0, True)


def test_a_dead_letter_says_file_line_and_reason_and_holds_the_line(
    settings: Settings, tmp_path: Path
) -> None:
    path = archive(tmp_path, tweet_line(0), b"not json\n", tweet_line(2), b'{"data":{"id":"5"}}\n')
    report = replay(settings, path)
    assert report["run"] == "tweets"
    assert report["files"][0]["dead_letters"] == {"missing-field": 1, "not-json": 1}
    assert numbers(settings) == [0, 2]
    letters = dead_letters(settings)
    sha256 = report["files"][0]["sha256"]
    assert [letter.position for letter in letters] == [
        SourcePosition(f"file:{sha256}", 0, 2),
        SourcePosition(f"file:{sha256}", 0, 4),
    ]
    assert letters[0].detail.startswith("tweets.jsonl:2: not valid JSON")
    assert letters[1].detail == "tweets.jsonl:4: the text is missing"
    assert {(letter.run, letter.stage) for letter in letters} == {("tweets", "replay")}
    assert [letter.value for letter in letters] == [b"not json", b'{"data":{"id":"5"}}']


def test_no_more_than_the_bound_waits_for_scoring(settings: Settings, tmp_path: Path) -> None:
    path = archive(tmp_path, *map(tweet_line, range(300)))
    raw = settings.names.topic(RAW)
    scorer = Consumer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "group.id": settings.names.group(SCORE_GROUP),
            "enable.auto.commit": False,
        }
    )
    partitions = list(scorer.list_topics(raw, timeout=10).topics[raw].partitions)

    def ends() -> dict[int, int]:
        try:
            return {
                p: scorer.get_watermark_offsets(TopicPartition(raw, p), timeout=10)[1]
                for p in partitions
            }
        except KafkaException:  # a topic just made may still have no leader
            return {}

    def reached(events: int) -> bool:
        return sum(ends().values()) >= events

    try:
        with running(settings, path, "--run", "bound", "--max-lag", "100", "--json") as process:
            processed = 0
            for expected in (100, 200, 300):
                wait_until(partial(reached, expected), 60, f"{expected} events")
                assert expected == 300 or process.poll() is None
                found = ends()
                assert sum(found.values()) - processed <= 100
                offsets = [TopicPartition(raw, p, offset) for p, offset in found.items()]
                scorer.commit(offsets=offsets, asynchronous=False)
                processed = sum(found.values())
            out, _ = process.communicate(timeout=30)
    finally:
        scorer.close()
    assert json.loads(out)["events"] == 300


def test_missing_topics_are_a_line_that_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    path = archive(tmp_path, tweet_line(0))
    elsewhere = settings.model_copy(update={"topic_prefix": "nobody-made-these."})
    assert refused(elsewhere, path, code=1) == (
        "murmur: the topic nobody-made-these.tweets.raw is missing: run `murmur init`\n"
    )
    topics = (
        AdminClient(kafka_config(settings.kafka_connection, "test")).list_topics(timeout=10).topics
    )
    assert "nobody-made-these.tweets.raw" not in topics


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kafka": "127.0.0.1:1"}, "murmur: Kafka does not answer at 127.0.0.1:1: start it"),
        (
            {"postgres": SecretStr("postgresql://127.0.0.1:1/x")},
            "murmur: PostgreSQL does not answer (",
        ),
    ],
)
def test_a_server_that_is_away_is_one_clear_line(
    settings: Settings, tmp_path: Path, changed: dict[str, object], sentence: str
) -> None:
    away = settings.model_copy(update=changed)
    (line,) = refused(away, archive(tmp_path, tweet_line(0)), code=1).splitlines()
    assert line.startswith(sentence)


def test_the_live_run_is_refused(settings: Settings, tmp_path: Path) -> None:
    assert "not `live`" in refused(
        settings, archive(tmp_path, tweet_line(0)), "--run", "live", code=2
    )


def test_probes_tell_of_the_replay_while_it_runs(
    settings: Settings, tmp_path: Path, free_port: int
) -> None:
    path = archive(tmp_path, *map(tweet_line, range(3_000)))

    def metric() -> float:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics") as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0
        name = 'murmur_replay_events_total{outcome="TweetPosted"} '
        return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0)

    with running(settings, path, "--rate", "300", "--probe-port", free_port):
        wait_until(metric, 60, "events in the metrics")
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/readyz") as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics") as answer:
            assert differences(answer.read().decode(), "replay") == []
