"""What retention deletes before it was read is counted, by both workers."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.settings import Settings
from schemas.topics import RAW, SCORE_GROUP, SCORED
from schemas.transport.group_lag import GroupLag
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until
from tests.integration.test_score import probe, publish_raw, running_score
from tests.integration.test_sink import publish, running_sink, sink_lag, store
from tests.unit.examples import deleted, scored_tweet


@pytest.mark.parametrize("while_running", [False, True])
def test_what_expired_before_it_was_scored_is_counted(
    settings: Settings, tmp_path: Path, while_running: bool
) -> None:
    topic = settings.names.topic(RAW)
    lag = GroupLag(
        settings.kafka_connection, group=settings.names.group(SCORE_GROUP), topics=[topic]
    )
    results = GroupLag(
        settings.kafka_connection, group="test", topics=[settings.names.topic(SCORED)]
    )
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    first, second = tmp_path / "first.log", tmp_path / "second.log"

    def scored() -> None:
        wait_until(lambda: lag.total() == 0, 60, "everything to be scored")

    def expire(process: "subprocess.Popen[bytes] | None") -> None:
        if process is not None:
            process.send_signal(signal.SIGSTOP)
        # The first answers a fetch that waits at the broker: the others nobody then has.
        publish_raw(settings, [deleted("40")])
        publish_raw(settings, [deleted(str(number)) for number in range(41, 80)])
        gone = [TopicPartition(*at, end) for at, end in lag.standings().high.items()]
        for future in admin.delete_records(gone).values():
            future.result(timeout=30)
        publish_raw(settings, [deleted(str(number)) for number in range(80, 120)])
        if process is not None:
            process.send_signal(signal.SIGCONT)

    def all_accounted_for(log: Path) -> bool:
        """Whether each of the 120 is scored or counted, or the one that was fetched is both."""
        found = re.search(
            r"^murmur_score_expired_unread_total (\S+)", probe(log, "/metrics")[1], re.M
        )
        expired = float(found[1]) if found else 0
        accounted_for = expired + sum(results.standings().high.values())
        return expired > 0 and 120 <= accounted_for <= 121

    with running_score(settings, first) as process:
        publish_raw(settings, [deleted(str(number)) for number in range(40)])
        scored()
        if while_running:
            expire(process)
            wait_until(lambda: all_accounted_for(first), 60, "the loss to be counted")
    if not while_running:
        expire(None)
        with running_score(settings, second):
            wait_until(lambda: all_accounted_for(second), 60, "the loss to be counted")


def test_what_expired_before_it_was_stored_is_counted(settings: Settings) -> None:
    store(settings, [scored_tweet(tweet_id=str(number)) for number in range(40)])
    publish(settings, [scored_tweet(tweet_id=str(number)) for number in range(40, 80)])
    high = sink_lag(settings).standings().high
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    gone = [TopicPartition(*at, end) for at, end in high.items() if "scored" in at[0]]
    for future in admin.delete_records(gone).values():
        future.result(timeout=30)
    with running_sink(settings) as metrics:
        publish(settings, [scored_tweet(tweet_id=str(number)) for number in range(80, 90)])
        wait_until(lambda: sink_lag(settings).total() == 0, 60, "the sink to store the rest")
        count = metrics.registry.get_sample_value
        wait_until(
            lambda: count("murmur_sink_expired_unread_total") == 40, 60, "the loss to be counted"
        )
