"""The scoring process as it is run: on real Kafka, killed, stopped, fed with rubbish."""

import json
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message

from model_server.bundle import MODEL, default_bundle
from schemas.codec import decode_scored, encode, headers_of, key_of
from schemas.events import Event, TweetDeleted, TweetScored
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.kills import OFTEN
from tests.metrics_page import differences
from tests.stack import MURMUR, process_environment
from tests.unit.examples import TWEET_ID, deleted, posted

PROBE_PORT = 0


@contextmanager
def running_score(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `murmur score` until the block ends; SIGTERM must end it within 10 s."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [MURMUR, "score", "--probe-port", str(PROBE_PORT)],
            env=process_environment(settings),
            stderr=output,
        )
        try:
            yield process
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=10) == 0
        finally:
            process.kill()
            process.wait()


TRACED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def publish_raw(settings: Settings, events: Sequence[Event | bytes | None]) -> None:
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    topic = settings.names.topic(RAW)
    for number, event in enumerate(events):
        if event is None or isinstance(event, bytes):
            # The last one has a key as large as Kafka takes.
            key = b"k%d" % number if event != POISON[-1] else b"k" * 300_000
            publisher.publish(topic, key=key, value=event, headers=[("own", b"\xff")])
        else:
            headers = [*headers_of(event), ("traceparent", TRACED), ("own", b"1")]
            publisher.publish(topic, key=key_of(event), value=encode(event), headers=headers)
    publisher.confirm()


def everything_scored(settings: Settings) -> bool:
    lag = GroupLag(
        settings.kafka_connection,
        group=settings.names.group(SCORE_GROUP),
        topics=[settings.names.topic(RAW)],
    )
    return lag.total() == 0


def messages(settings: Settings, topic: str, at_least: int) -> list[Message]:
    """Return a topic's messages, waiting for as many as are expected."""
    consumer = Consumer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "group.id": f"{settings.topic_prefix}reader-{topic}",
            "auto.offset.reset": "earliest",
        }
    )
    found: list[Message] = []

    def enough() -> bool:
        found.extend(m for m in consumer.consume(1000, 0.5) if m.error() is None)
        return len(found) >= at_least

    try:
        consumer.subscribe([settings.names.topic(topic)])
        wait_until(enough, 60, f"{at_least} messages in {topic}")
        found.extend(m for m in consumer.consume(1000, 1.0) if m.error() is None)
    finally:
        consumer.close()
    return found


def probe(log: Path, path: str) -> tuple[int, str]:
    """Ask the process whose log names its probes' address."""
    lines = log.read_text().splitlines()
    addresses = [json.loads(line)["message"] for line in lines if "probes at" in line]
    if not addresses:
        return 0, ""
    try:
        with urllib.request.urlopen(addresses[-1].split()[-1] + path, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


POISON: list[bytes | None] = [
    b"{not json",
    b"\xff\xfe\x00",
    None,
    b'{"type":"TweetLiked","run":"test"}',
    encode(posted(text="a\x00b")),
    encode(posted()).replace(b"what a day", b"\\ud800"),
    encode(posted()).replace(TWEET_ID.encode(), b""),
    encode(posted()).replace(b"2016-11-19T15", b"9999-12-31T15"),
    b'{"type":"TweetPosted","text":"' + b"x" * 600_000 + b'"}',
]


def test_it_starts_where_no_embedded_stack_has_made_a_home(
    settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "score.log"
    home = tmp_path / "elsewhere" / "home"
    with running_score(settings.model_copy(update={"home": home}), log):
        wait_until(lambda: probe(log, "/readyz")[0] == 200, 60, "readiness")
    assert home.stat().st_mode & 0o077 == 0


def test_every_message_has_exactly_one_outcome(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "score.log"
    posts = [
        posted(tweet_id=str(800000000000000000 + n), text=f"day {n % 7} is good")
        for n in range(300)
    ]
    removals = [deleted(str(800000000000000000 + n)) for n in range(5)]
    with running_score(settings, log):
        publish_raw(settings, [*posts[:150], *POISON, *posts[150:], *removals])
        results = messages(settings, SCORED, len(posts) + len(removals))
        letters = messages(settings, DEAD_LETTER, len(POISON))
        status, metrics = wait_until(lambda: _caught_up(log), 60, "the probes to show no lag")
    events = [decode_scored(message.value()) for message in results]
    scored = {event.tweet_id: event for event in events if isinstance(event, TweetScored)}
    assert len(events) == len(posts) + len(removals)
    assert sorted(scored) == sorted(post.tweet_id for post in posts)
    assert (
        len({event.score.label for event in scored.values() if event.text == "day 1 is good"}) == 1
    )
    assert sum(isinstance(event, TweetDeleted) for event in events) == len(removals)
    assert all(
        message.key() == key_of(event) for message, event in zip(results, events, strict=True)
    )
    for message in results:
        assert dict(message.headers() or [])["traceparent"] == TRACED
        assert "own" not in dict(message.headers() or [])
    assert log.read_text().count('"trace_id": "0af7651916cd43dd8448eb211c80319c"') == 305
    assert sorted(m.value() or b"" for m in letters) == sorted(
        (p or b"")[: 65_536 if p and len(p) > 262_144 else None] for p in POISON
    )
    for letter in letters:
        headers = dict(letter.headers() or [])
        assert headers["own"] == b"\xff"
        assert headers["__streams.errors.topic"] == settings.names.topic(RAW).encode()
        assert headers["murmur.errors.stage"] == b"score"
    assert status == 200
    assert f'murmur_score_events_total{{outcome="consumed"}} {300 + 5 + len(POISON)}.0' in metrics
    assert "murmur_score_cache_hits_total 293.0" in metrics
    assert differences(metrics, "score") == []


def _caught_up(log: Path) -> tuple[int, str] | None:
    status, _ = probe(log, "/readyz")
    _, metrics = probe(log, "/metrics")
    return (status, metrics) if "murmur_score_lag_events 0.0" in metrics else None


def test_kills_lose_nothing(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "score.log"
    count, targets = (3000, (2200, 1500, 700)) if OFTEN else (1500, (900,))
    # Distinct texts: nothing comes out of the cache, so that there is time to kill.
    posts = [
        posted(
            tweet_id=str(800000000000000000 + n), text=f"what a day, the {n}th of them, and so on"
        )
        for n in range(count)
    ]
    publish_raw(settings, posts[:-300])
    lag = GroupLag(
        settings.kafka_connection,
        group=settings.names.group(SCORE_GROUP),
        topics=[settings.names.topic(RAW)],
    )
    for target in targets:
        with running_score(settings, log) as process:
            wait_until(lambda target=target: lag.total() <= target, 180, f"lag {target}")  # type: ignore[misc]
            process.kill()
            process.wait()
    with running_score(settings, log):
        publish_raw(settings, posts[-300:])
        wait_until(lambda: everything_scored(settings), 180, "everything to be scored")
    events = [decode_scored(message.value()) for message in messages(settings, SCORED, len(posts))]
    ids = [event.tweet_id for event in events if isinstance(event, TweetScored)]
    assert set(ids) == {post.tweet_id for post in posts}
    # The same text has the same score, whoever scored it and how often.
    scores = {(e.tweet_id, e.score.confidence) for e in events if isinstance(e, TweetScored)}
    assert len(scores) == len(posts)


def test_a_damaged_bundle_is_refused_in_one_line(settings: Settings, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(default_bundle(), tmp_path / "bundle"))
    with (bundle / MODEL).open("ab") as weights:
        weights.write(b"\0")
    result = subprocess.run(
        [MURMUR, "score", "--probe-port", "0"],
        env=process_environment(settings.model_copy(update={"model": bundle})),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.decode().count("\n") == 1
    assert "SHA-256" in result.stderr.decode()


def test_a_taken_probe_port_is_said_in_one_line(settings: Settings) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = subprocess.run(
            [MURMUR, "sink", "--probe-port", str(taken.getsockname()[1])],
            env=process_environment(settings),
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    assert "Address already in use" in result.stderr.decode().splitlines()[-1]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_idle_ends_the_process_cleanly(
    settings: Settings, tmp_path: Path, signal_number: int
) -> None:
    log = tmp_path / "score.log"
    with running_score(settings, log) as process:
        wait_until(lambda: probe(log, "/readyz")[0] == 200, 60, "readiness")
        process.send_signal(signal_number)
        assert process.wait(timeout=10) == 0
