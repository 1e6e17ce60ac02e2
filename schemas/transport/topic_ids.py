"""Which topic a name means now: one that was made anew has another id."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from schemas.failures import Failure


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


def partition_counts(admin: AdminClient, topics: Iterable[str]) -> dict[str, int]:
    """Return how many partitions each topic has; raise `Failure` where Kafka does not answer."""
    try:
        found = admin.list_topics(timeout=30).topics
    except KafkaException as error:
        raise Failure(f"Kafka: {error.args[0].str()}; see MURMUR_KAFKA") from error
    return {topic: len(found[topic].partitions) for topic in topics}
