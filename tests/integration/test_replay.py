"""`murmur replay` against real servers: nothing is lost, whatever ends it."""

import json
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from schemas.codec import Headers, decode_raw
from schemas.events import RawEvent, TweetPosted
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, group_name, topic_name
from schemas.transport.dead_letters import DeadLetter, SourcePosition, from_message
from schemas.transport.kafka_config import kafka_config
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.stack import MURMUR, process_environment

FIRST_ID = 1_590_000_000_000_000_000


def tweet_line(number: int, text: str = "some words") -> bytes:
    document = {"data": {"id": str(FIRST_ID + number), "text": f"{text} {number}"}}
    return msgspec.json.encode(document) + b"\n"


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """Write lines to a file."""

    def write(*lines: bytes, name: str = "tweets.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(lines))
        return path

    return write


@contextmanager
def running(settings: Settings, *arguments: object) -> Iterator["subprocess.Popen[bytes]"]:
    """A replay in a process of its own, which does not outlive the block."""
    with subprocess.Popen(
        [MURMUR, "replay", *map(str, arguments)],
        env=process_environment(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
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
    return list(_messages(settings, topic_name(settings, topic)))


def _messages(settings: Settings, topic: str) -> Iterator[Message]:
    consumer = Consumer(
        {**kafka_config(settings, "test"), "group.id": "unused", "enable.auto.commit": False}
    )
    try:
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            place = TopicPartition(topic, partition, 0)
            _, end = consumer.get_watermark_offsets(place, timeout=10)
            consumer.assign([place])
            for _ in range(end):
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                yield message
    finally:
        consumer.close()


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
    connection = connect_postgres(settings, "test")
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

    return wait_until(stored, 30, "a stored position")


def test_every_line_becomes_a_confirmed_event_under_its_key(
    settings: Settings, archive: Callable[..., Path]
) -> None:
    path = archive(*map(tweet_line, range(500)))
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
    settings: Settings, archive: Callable[..., Path]
) -> None:
    path = archive(tweet_line(0), b"not json\n", tweet_line(2), b'{"data":{"id":"5"}}\n')
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
    assert letters[0].detail.startswith("tweets.jsonl:2: no JSON")
    assert letters[1].detail == "tweets.jsonl:4: there is no text"
    assert {(letter.run, letter.stage) for letter in letters} == {("tweets", "replay")}
    assert [letter.value for letter in letters] == [b"not json", b'{"data":{"id":"5"}}']


def test_a_killed_replay_loses_nothing_and_goes_on_where_it_was(
    settings: Settings, archive: Callable[..., Path]
) -> None:
    path = archive(*(tweet_line(n) if n % 10 else b"broken\n" for n in range(20_000)))
    # Paced, so that the kill comes after a stored position and long before the end.
    with running(settings, path, "--run", "killed", "--rate", "2000", "--max-lag", "0") as process:
        done_before = first_stored_position(settings, "killed", process)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    assert not position(settings, "killed")[3]
    report = replay(settings, path, "--run", "killed", "--max-lag", "0")
    assert report["files"][0]["records_done_before"] >= done_before
    assert report["events"] < 18_000
    assert set(numbers(settings)) == {n for n in range(20_000) if n % 10}
    assert {letter.position.offset for letter in dead_letters(settings)} == set(
        range(1, 20_001, 10)
    )
    assert position(settings, "killed") == (20_000, 18_000, 2_000, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_replay_stores_its_position_and_ends_within_seconds(
    settings: Settings, archive: Callable[..., Path], number: signal.Signals
) -> None:
    path = archive(*map(tweet_line, range(5_000)))
    with running(settings, path, "--run", "stopped", "--rate", "500", "--json") as process:
        first_stored_position(settings, "stopped", process)
        process.send_signal(number)
        out, _ = process.communicate(timeout=5)
    assert process.returncode == 128 + number
    report = json.loads(out)
    assert report["outcome"] == "interrupted"
    done, events, _, finished = position(settings, "stopped")
    assert (done, events) == (report["events"], report["events"])
    assert not finished
    rest = replay(settings, path, "--run", "stopped")
    assert report["events"] + rest["events"] == 5_000
    assert numbers(settings) == list(range(5_000))


def test_a_finished_archive_replayed_again_repeats_the_same_events(
    settings: Settings, archive: Callable[..., Path]
) -> None:
    path = archive(*map(tweet_line, range(50)), b'{"text":"without an id"}\n')
    for _ in range(2):
        assert replay(settings, path, "--run", "twice")["events"] == 51
    seen: dict[bytes | None, list[dict[str, Any]]] = {}
    for message in messages(settings, RAW):
        event = json.loads(value_of(message))
        del event["received_at"]
        seen.setdefault(message.key(), []).append(event)
    assert len(seen) == 51
    assert all(first == second for first, second in seen.values())


def test_a_limit_stops_and_the_next_replay_goes_on_there(
    settings: Settings, archive: Callable[..., Path]
) -> None:
    path = archive(*map(tweet_line, range(100)))
    report = replay(settings, path, "--limit", "30")
    assert (report["events"], report["outcome"]) == (30, "limit reached")
    assert numbers(settings) == list(range(30))
    assert replay(settings, path)["events"] == 70
    assert numbers(settings) == list(range(100))


def test_files_already_finished_are_passed_over_while_others_are_not(
    settings: Settings, archive: Callable[..., Path]
) -> None:
    first = archive(*map(tweet_line, range(10)), name="first.jsonl")
    second = archive(*map(tweet_line, range(10, 20)), name="second.jsonl")
    replay(settings, first, "--run", "both")
    report = replay(settings, first, second, "--run", "both")
    assert [file["events"] for file in report["files"]] == [{}, {"TweetPosted": 10}]
    assert report["files"][0]["action"] == "passed over: already finished"
    assert replay(settings, first, second, "--run", "both", "--restart")["events"] == 20


def test_no_more_than_the_bound_waits_for_scoring(
    settings: Settings, archive: Callable[..., Path]
) -> None:
    path = archive(*map(tweet_line, range(300)))
    raw = topic_name(settings, RAW)
    scorer = Consumer(
        {
            **kafka_config(settings, "test"),
            "group.id": group_name(settings, SCORE_GROUP),
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

    try:
        with running(settings, path, "--run", "bound", "--max-lag", "100", "--json") as process:
            processed = 0
            for expected in (100, 200, 300):
                wait_until(lambda: sum(ends().values()) >= expected, 30, f"{expected} events")  # noqa: B023
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


def test_a_damaged_archive_is_published_as_far_as_it_goes_and_fails(settings: Settings) -> None:
    path = Path(__file__).parents[1] / "golden" / "archives" / "x_v2_truncated.gz"
    report = replay(settings, path, code=1)
    assert report["events"] == 1
    assert "damaged gzip data" in report["files"][0]["damage"]
    (letter,) = dead_letters(settings)
    assert letter.reason == "unreadable-line"
    assert letter.detail.startswith("x_v2_truncated.gz:2: damaged gzip data")


def test_missing_topics_are_a_line_that_says_what_to_do(
    settings: Settings, archive: Callable[..., Path]
) -> None:
    path = archive(tweet_line(0))
    elsewhere = settings.model_copy(update={"topic_prefix": "nobody-made-these."})
    assert refused(elsewhere, path, code=1) == (
        "murmur: the topic nobody-made-these.tweets.raw is missing: run `murmur init`\n"
    )
    topics = AdminClient(kafka_config(settings, "test")).list_topics(timeout=10).topics
    assert "nobody-made-these.tweets.raw" not in topics


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kafka": "127.0.0.1:1"}, "murmur: Kafka does not answer at 127.0.0.1:1: start it"),
        (
            {"postgres": SecretStr("postgresql://127.0.0.1:1/x")},
            "murmur: PostgreSQL does not answer: start it",
        ),
    ],
)
def test_a_server_that_is_away_is_one_clear_line(
    settings: Settings, archive: Callable[..., Path], changed: dict[str, object], sentence: str
) -> None:
    away = settings.model_copy(update=changed)
    (line,) = refused(away, archive(tweet_line(0)), code=1).splitlines()
    assert line.startswith(sentence)


def test_the_live_run_is_refused(settings: Settings, archive: Callable[..., Path]) -> None:
    assert "not `live`" in refused(settings, archive(tweet_line(0)), "--run", "live", code=2)


def test_probes_tell_of_the_replay_while_it_runs(
    settings: Settings, archive: Callable[..., Path], free_port: int
) -> None:
    path = archive(*map(tweet_line, range(3_000)))

    def metric() -> float:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics") as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0
        name = 'murmur_replay_events_total{outcome="TweetPosted"} '
        return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0)

    with running(settings, path, "--rate", "300", "--probe-port", free_port):
        wait_until(metric, 30, "events in the metrics")
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/readyz") as answer:
            assert answer.status == 200
