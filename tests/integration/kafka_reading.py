"""Reading whole topics in tests."""

from collections.abc import Iterator

from confluent_kafka import Consumer, Message, TopicPartition

from schemas.codec import decode_raw
from schemas.events import RawEvent
from schemas.settings import Settings
from schemas.topics import RAW, topic_name
from schemas.transport.kafka_config import kafka_config


def messages(settings: Settings, topic: str) -> list[Message]:
    """Return all messages that a topic holds now, partition by partition."""
    return list(_messages(settings, topic_name(settings, topic)))


def raw_events(settings: Settings) -> list[RawEvent]:
    """Return all events of `tweets.raw`."""
    return [decode_raw(message.value()) for message in messages(settings, RAW)]


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
