"""What other people's producers abort is no tweet, and what Kafka marks in a log is no lag."""

import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from schemas.codec import decode_scored
from schemas.events import TweetScored
from schemas.settings import Settings
from schemas.topics import RAW, SCORE_GROUP, SCORED
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.messages import Partition
from schemas.transport.postgres import Connection
from tests.conditions import wait_until
from tests.integration.test_score import messages, probe, publish_raw, running_score
from tests.integration.test_sink import running_sink, sink_lag
from tests.transactions import commit, in_a_transaction
from tests.unit.examples import posted, scored_tweet

PARTITION = 3
STALL_AFTER_S = 6


def lag_of_scoring(settings: Settings) -> GroupLag:
    return GroupLag(
        settings.kafka_connection,
        group=settings.names.group(SCORE_GROUP),
        topics=[settings.names.topic(RAW)],
    )


def scored_ids(settings: Settings, at_least: int) -> list[str]:
    events = [decode_scored(message.value()) for message in messages(settings, SCORED, at_least)]
    return sorted(event.tweet_id for event in events if isinstance(event, TweetScored))


@pytest.mark.parametrize("first", [0, 1, 2])
def test_aborted_tweets_are_not_scored_and_are_no_lag(
    settings: Settings, tmp_path: Path, first: int
) -> None:
    """`first` messages come before: Faust begins to count at offset 0, 1 and 2."""
    log = tmp_path / "score.log"
    kept, aborted = ["11", "12", "13", "14"], [str(number) for number in range(50, 60)]
    before = [posted(tweet_id=tweet_id) for tweet_id in kept[:first]]
    after = [posted(tweet_id=tweet_id) for tweet_id in kept[first:]]
    lag = lag_of_scoring(settings)
    with running_score(
        settings.model_copy(update={"stall_after_s": STALL_AFTER_S}), log
    ) as process:
        wait_until(lambda: probe(log, "/readyz")[0] == 200, 60, "readiness")
        for events, are_kept in (
            (before, True),
            ([posted(tweet_id=tweet_id) for tweet_id in aborted], False),
            (after, True),
            ([posted(tweet_id=tweet_id) for tweet_id in aborted], False),
        ):
            # One by one, so that a mark follows each.
            for event in events:
                in_a_transaction(settings, RAW, [event], kept=are_kept, partition=PARTITION)
        assert scored_ids(settings, len(kept)) == kept
        wait_until(lambda: lag.total() == 0, 60, "what is left to be no lag")
        wait_until(lambda: "lag 0" in probe(log, "/healthz")[1], 60, "the process to see that")
        wait_until(lambda: _quiet_s(log) > STALL_AFTER_S, 60, "longer than a stall")
        assert process.poll() is None
    assert "no progress" not in log.read_text()
    lag.close()


def _quiet_s(log: Path) -> float:
    """Return for how long the process has finished no window."""
    page = probe(log, "/metrics")[1]
    found = re.search(r"^murmur_score_last_progress_timestamp_seconds (\S+)", page, re.M)
    return time.time() - float(found[1]) if found else 0.0


def test_aborted_scores_are_not_stored_and_are_no_lag(
    settings: Settings, connection: Connection
) -> None:
    lag = sink_lag(settings)
    with running_sink(settings) as metrics:
        for tweet_id, kept in (("11", True), ("12", False), ("13", True), ("14", False)):
            event = scored_tweet(tweet_id=tweet_id)
            in_a_transaction(settings, SCORED, [event], kept=kept, partition=PARTITION)
        wait_until(lambda: lag.total() == 0, 60, "what is left to be no lag")
        shown = metrics.registry.get_sample_value
        wait_until(lambda: shown("murmur_sink_lag_events") == 0, 60, "the sink to see that")
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT tweet_id FROM tweets ORDER BY tweet_id")
        assert cursor.fetchall() == [("11",), ("13",)]
    lag.close()


def test_lag_is_what_is_left_to_read(settings: Settings) -> None:
    lag, topic = lag_of_scoring(settings), settings.names.topic(RAW)
    at = (topic, PARTITION)
    post = posted()
    in_a_transaction(settings, RAW, [post] * 5, kept=False, partition=PARTITION)
    assert behind(lag, at) == 0
    in_a_transaction(settings, RAW, [post], kept=True, partition=PARTITION)
    in_a_transaction(settings, RAW, [post] * 5, kept=False, partition=PARTITION)
    # The tweet, and the marks and aborted ones behind it: only a reader passes them.
    assert behind(lag, at) == 8
    commit(settings, at, 7)
    wait_until(lambda: behind(lag, at) == 0, 60, "a reader that stands still to be done")
    in_a_transaction(settings, RAW, [post], kept=True, partition=PARTITION)
    assert behind(lag, at) == 2
    lag.close()


def test_an_offset_beyond_the_end_was_another_logs(settings: Settings) -> None:
    publish_raw(settings, [posted()] * 3)
    lag = lag_of_scoring(settings)
    at = wait_until(lambda: one_behind(lag), 60, "Kafka to answer")
    assert behind(lag, at) == 3
    commit(settings, at, 9)
    assert behind(lag, at) == 3
    lag.close()


def behind(lag: GroupLag, at: Partition) -> int:
    """Return a partition's lag, once Kafka has a leader for each that was just made."""

    def asked() -> list[int]:
        with suppress(KafkaUnavailable):
            return [lag.read()[at]]
        return []

    return wait_until(asked, 60, "Kafka to answer")[0]


def one_behind(lag: GroupLag) -> Partition | None:
    """Return a partition with lag; None while Kafka does not answer."""
    with suppress(KafkaUnavailable):
        return next((at for at, messages in lag.read().items() if messages), None)
    return None
