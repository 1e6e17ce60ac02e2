"""Kafka's offsets follow PostgreSQL, for those who watch the lag."""

from confluent_kafka import Consumer, TopicPartition

from schemas.settings import Settings
from schemas.topics import SINK_GROUP
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until
from tests.integration.test_sink import running_sink, sink_lag, store
from tests.unit.examples import scored_tweet


def test_a_sink_that_was_killed_before_it_committed_leaves_no_lag_behind(
    settings: Settings,
) -> None:
    store(settings, [scored_tweet(tweet_id=str(number)) for number in range(20)])
    lag = sink_lag(settings)
    committed = lag.standings().committed
    forget = Consumer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "group.id": settings.names.group(SINK_GROUP),
        }
    )
    forget.commit(
        offsets=[TopicPartition(*partition, 0) for partition in committed], asynchronous=False
    )
    forget.close()
    assert lag.total() == 20
    with running_sink(settings):
        wait_until(lambda: lag.total() == 0, 60, "the sink to commit what PostgreSQL has")
