"""The sink's positions in the topics, kept in the transaction of the rows.

PostgreSQL knows best what PostgreSQL holds: after a backup is restored the sink goes back to where
the backup was taken, and refills what the topics still have.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.failures import Failure
from schemas.transport.messages import Partition

CONSUMER: Final = "sink"


def read_positions(
    cur: cursor, topic_ids: Mapping[str, str], partitions: Iterable[Partition]
) -> dict[Partition, int]:
    """Return where to begin in each partition: at its beginning where the tables hold none of it.

    What Kafka has committed for the group does not count: it is for those who watch the lag.
    """
    cur.execute(
        "SELECT topic_id, partition, next_offset FROM positions"
        " WHERE consumer = %s AND topic_id = ANY(%s)",
        (CONSUMER, list(topic_ids.values())),
    )
    names = {topic_id: topic for topic, topic_id in topic_ids.items()}
    stored = {(names[topic_id], partition): offset for topic_id, partition, offset in cur}
    return {partition: stored.get(partition, OFFSET_BEGINNING) for partition in partitions}


def write_positions(
    cur: cursor, next_offsets: Mapping[Partition, int], topic_ids: Mapping[str, str]
) -> None:
    """Move positions forward; one that another sink has moved further stays there."""
    execute_values(
        cur,
        "INSERT INTO positions AS p (consumer, topic_id, topic, partition, next_offset) VALUES %s"
        " ON CONFLICT (consumer, topic_id, partition) DO UPDATE SET"
        " next_offset = greatest(p.next_offset, excluded.next_offset), updated_at = now()",
        sorted(
            (CONSUMER, topic_ids[topic], topic, partition, offset)
            for (topic, partition), offset in next_offsets.items()
        ),
    )


def find_topic_ids(admin: AdminClient, topics: Iterable[str]) -> dict[str, str]:
    """Return each topic's id, which a topic made anew does not share; raise `Failure`."""
    described = admin.describe_topics(TopicCollection(sorted(topics)), request_timeout=30)
    try:
        return {topic: str(future.result().topic_id) for topic, future in described.items()}
    except KafkaException as error:
        fault: KafkaError = error.args[0]
        missing = fault.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        advice = "`murmur init` makes the topics" if missing else "see MURMUR_KAFKA"
        raise Failure(f"Kafka: {fault.str()}; {advice}") from error
