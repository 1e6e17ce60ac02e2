"""Something of one's own in each server, to be found again."""

import psycopg2
from confluent_kafka import Consumer, TopicPartition

from schemas.settings import Settings
from schemas.topics import SCORED
from schemas.transport.kafka_config import kafka_config
from schemas.transport.publisher import ConfirmingPublisher


def leave_a_trace(settings: Settings, word: str) -> None:
    """Put a message into a topic and a row into a table."""
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    publisher.publish(settings.names.topic(SCORED), key=b"k", value=word.encode(), headers=[])
    publisher.confirm()
    connection = psycopg2.connect(settings.postgres_uri)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO runs (run, kind, started_at) VALUES (%s, 'replay', now())", (word,)
        )
    connection.close()


def traces(settings: Settings) -> tuple[set[str], set[str]]:
    """Return all messages and rows that were left."""
    consumer = Consumer(
        {
            **kafka_config(settings.kafka_connection, "test"),
            "group.id": "test",
            "enable.partition.eof": True,
        }
    )
    topic = settings.names.topic(SCORED)
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    messages, ended = set(), 0
    while ended < len(partitions):
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            ended += 1
        else:
            messages.add((message.value() or b"").decode())
    consumer.close()
    connection = psycopg2.connect(settings.postgres_uri)
    with connection.cursor() as cursor:
        cursor.execute("SELECT run FROM runs")
        rows = {run for (run,) in cursor.fetchall()}
    connection.close()
    return messages, rows
