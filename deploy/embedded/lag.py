"""How far the consumer groups are behind."""

from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import RAW, SCORE_GROUP, SCORED, SINK_GROUP, group_name, topic_name
from schemas.transport.kafka_config import kafka_config

_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class GroupLag:
    """A group's messages that are not yet committed, over all partitions of a topic."""

    group: str
    topic: str
    lag: int


@dataclass(frozen=True)
class PartitionOffsets:
    """First and next offset of a partition, and what a group has committed (None: nothing)."""

    low: int
    high: int
    committed: int | None


def partition_lag(offsets: PartitionOffsets) -> int:
    """Return how many messages a group has before it; what has expired counts no more."""
    done = offsets.low if offsets.committed is None else max(offsets.committed, offsets.low)
    return max(0, offsets.high - done)


def group_lags(settings: Settings) -> list[GroupLag]:
    """Return the lag of both workers' groups; `Failure` where Kafka does not answer."""
    return [
        _group_lag(settings, group_name(settings, group), topic_name(settings, topic))
        for group, topic in ((SCORE_GROUP, RAW), (SINK_GROUP, SCORED))
    ]


def _group_lag(settings: Settings, group: str, topic: str) -> GroupLag:
    consumer = Consumer(
        {**kafka_config(settings, "murmur-status"), "group.id": group, "log_level": 0}
    )
    try:
        found = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        partitions = [TopicPartition(topic, partition) for partition in found]
        total = 0
        for committed in consumer.committed(partitions, timeout=_TIMEOUT_S) if partitions else ():
            low, high = consumer.get_watermark_offsets(committed, timeout=_TIMEOUT_S)
            offset = committed.offset if committed.offset >= 0 else None
            total += partition_lag(PartitionOffsets(low, high, offset))
    except KafkaException as error:
        raise Failure(f"Kafka does not tell the lag of {group}: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return GroupLag(group, topic, total)
