"""Topics that are made anew, or get partitions, while the processes run."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from schemas.codec import decode_scored
from schemas.process.exit_codes import ExitCode
from schemas.settings import Settings
from schemas.topics import RAW, SCORE_HOLD, SCORED
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.kafka_config import kafka_config
from schemas.transport.messages import Partition
from schemas.transport.postgres import Connection
from schemas.transport.topic_ids import find_topic_ids
from tests.conditions import wait_until
from tests.integration.test_score import everything_scored, messages, probe, publish_raw
from tests.integration.test_sink import publish, sink_lag
from tests.made_anew import make_anew
from tests.stack import MURMUR, process_environment
from tests.transactions import commit, committed, in_a_transaction
from tests.unit.examples import posted, scored_tweet

WITHIN_S = 60


REBALANCED_WHILE_FETCHING = """
from stream_processors.scoring.faust_consumer import CommittedMessages

fetch = CommittedMessages._wait_next_records
thrown_away = []

async def fetch_and_stop_once(self, timeout):
    records, partitions = await fetch(self, timeout)
    if records and not thrown_away:
        thrown_away.append(records)
        self.stop_flow()
        self.loop.call_later(0.5, self.resume_flow)
    return records, partitions

CommittedMessages._wait_next_records = fetch_and_stop_once
from deploy.cli import main
main()
"""
"""Scoring whose first messages come while a rebalance has stopped it: Faust throws them away."""


@contextmanager
def running(
    settings: Settings, command: str, log: Path, *, program: Sequence[str | Path] = (MURMUR,)
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program, command, "--probe-port", "0"],
            env=process_environment(settings),
            stderr=output,
        )
        try:
            wait_until(lambda: probe(log, "/readyz")[0] == 200, 90, f"{command} to be ready")
            yield process
        finally:
            process.kill()
            process.wait()


def ends_and_says_so(process: "subprocess.Popen[bytes]", log: Path, topic: str) -> None:
    assert process.wait(timeout=WITHIN_S) == ExitCode.STALLED
    assert f"made anew while this process ran: {topic};" in log.read_text()


def published_scores(settings: Settings) -> int:
    return sum(ends(settings, SCORED).values())


def ends(settings: Settings, topic: str) -> Mapping[Partition, int]:
    """Return where a topic's partitions end; nothing while one has no leader."""
    asked = GroupLag(settings.kafka_connection, group="test", topics=[settings.names.topic(topic)])
    try:
        return asked.standings().high
    except KafkaUnavailable:
        return {}
    finally:
        asked.close()


def tweet_ids(connection: Connection) -> set[str]:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT tweet_id FROM tweets")
        return {tweet_id for (tweet_id,) in cursor}


def test_scoring_ends_where_its_topic_was_made_anew_and_then_scores_all_of_it(
    settings: Settings, tmp_path: Path
) -> None:
    old, new = (
        [posted(tweet_id=str(number), text=f"a day {number}") for number in numbers]
        for numbers in (range(1_000, 2_000), range(2_000, 3_000))
    )
    log = tmp_path / "score.log"
    with running(settings, "score", log) as process:
        publish_raw(settings, old)
        wait_until(lambda: published_scores(settings) >= 100, WITHIN_S, "some to be scored")
        # What is still in the process is worked off meanwhile: its offsets are another topic's.
        make_anew(settings, RAW)
        publish_raw(settings, new)
        ends_and_says_so(process, log, settings.names.topic(RAW))
    with running(settings, "score", log):
        wait_until(lambda: everything_scored(settings), WITHIN_S, "the new topic to be scored")
    scored = {
        decode_scored(message.value()).tweet_id  # type: ignore[union-attr]
        for message in messages(settings, SCORED, published_scores(settings))
    }
    assert {post.tweet_id for post in new} <= scored


@pytest.mark.parametrize(
    ("beyond_the_end", "topic_id"), [(100, ""), (0, "another topic's id")], ids=["end", "id"]
)
def test_what_another_log_had_scored_is_scored_anew(
    settings: Settings, tmp_path: Path, beyond_the_end: int, topic_id: str
) -> None:
    publish_raw(settings, [posted(tweet_id="11")] * 3)
    raw = wait_until(lambda: ends(settings, RAW), WITHIN_S, "Kafka to answer")
    ((at, end),) = ((at, end) for at, end in raw.items() if end)
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    known = find_topic_ids(admin, [at[0]])
    commit(settings, at, end + beyond_the_end, topic_id=topic_id)
    with running(settings, "score", tmp_path / "score.log"):
        wait_until(lambda: published_scores(settings) == 3, WITHIN_S, "all to be scored")
        wait_until(lambda: everything_scored(settings), WITHIN_S, "no lag to be left")
        wait_until(
            lambda: committed(settings, at) == (end, known[at[0]]),
            WITHIN_S,
            "it to be committed as this topic's",
        )


def test_what_a_rebalance_throws_away_is_fetched_again_where_nothing_was_committed(
    settings: Settings, tmp_path: Path
) -> None:
    publish_raw(settings, [posted(tweet_id=str(number)) for number in range(11, 31)])
    program = [sys.executable, "-c", REBALANCED_WHILE_FETCHING]
    with running(settings, "score", tmp_path / "score.log", program=program):
        wait_until(lambda: published_scores(settings) >= 20, WITHIN_S, "all to be scored")
        wait_until(lambda: everything_scored(settings), WITHIN_S, "no lag to be left")


def test_the_sink_ends_where_its_topic_was_made_anew_and_then_stores_all_of_it(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    log = tmp_path / "sink.log"
    with running(settings, "sink", log) as process:
        publish(settings, [scored_tweet(tweet_id=str(number)) for number in range(40, 140)])
        wait_until(lambda: len(tweet_ids(connection)) == 100, WITHIN_S, "the first to be stored")
        make_anew(settings, SCORED)
        publish(settings, [scored_tweet(tweet_id=str(number)) for number in range(1_000, 1_500)])
        ends_and_says_so(process, log, settings.names.topic(SCORED))
    with running(settings, "sink", log):
        wait_until(lambda: len(tweet_ids(connection)) == 600, WITHIN_S, "all to be stored")
        wait_until(lambda: sink_lag(settings).total() == 0, WITHIN_S, "no lag to be left")


@pytest.mark.parametrize("topic", [SCORED, SCORE_HOLD])
def test_scoring_ends_where_a_topic_that_it_uses_was_made_anew(
    settings: Settings, tmp_path: Path, topic: str
) -> None:
    log = tmp_path / "score.log"
    with running(settings, "score", log) as process:
        make_anew(settings, topic)
        ends_and_says_so(process, log, settings.names.topic(topic))


def test_a_process_whose_topic_is_missing_says_so(settings: Settings, tmp_path: Path) -> None:
    topic, log = settings.names.topic(RAW), tmp_path / "score.log"
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    with running(settings, "score", log):
        admin.delete_topics([topic])[topic].result(30)
        missing = (503, f"waiting for the topic {topic}\n")
        wait_until(lambda: probe(log, "/readyz") == missing, WITHIN_S, "the reason")


def test_partitions_that_a_topic_gets_are_read_and_written_within_a_minute(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    before = settings.topic_partitions
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))

    def stored(tweet_id: str) -> Callable[[], bool]:
        return lambda: tweet_id in tweet_ids(connection)

    with (
        running(settings, "score", tmp_path / "score.log") as score,
        running(settings, "sink", tmp_path / "sink.log") as sink,
    ):
        publish_raw(settings, [posted(tweet_id="11")])
        wait_until(stored("11"), WITHIN_S, "the first tweet to be stored")
        topics = [settings.names.topic(topic) for topic in (RAW, SCORED)]
        raised = admin.create_partitions([NewPartitions(topic, before + 3) for topic in topics])
        for future in raised.values():
            future.result(timeout=30)
        for number, partition in enumerate(range(before, before + 3), start=20):
            event = posted(tweet_id=str(number))
            in_a_transaction(settings, RAW, [event], kept=True, partition=partition)
        for tweet_id in ("20", "21", "22"):
            wait_until(stored(tweet_id), WITHIN_S, f"tweet {tweet_id} to be scored and stored")
        score_of_another = scored_tweet(tweet_id="31")
        in_a_transaction(settings, SCORED, [score_of_another], kept=True, partition=before + 2)
        wait_until(stored("31"), WITHIN_S, "a new partition's score to be stored")
        assert score.poll() is None
        assert sink.poll() is None
