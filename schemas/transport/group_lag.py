"""How far a consumer group is behind, as the brokers know it."""

from collections.abc import Iterable, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas.failures import Failure
from schemas.settings import Settings
from schemas.transport.kafka_config import kafka_config

Partition = tuple[str, int]
"""Topic and partition."""


class KafkaUnavailable(Failure):
    """No broker answered in time."""


def lag_of(
    committed: Mapping[Partition, int], low: Mapping[Partition, int], high: Mapping[Partition, int]
) -> dict[Partition, int]:
    """Return the messages not yet processed in each partition of `high`.

    A partition without a committed offset is read from its beginning, and what expired before it
    was read is no longer lag.
    """
    return {
        partition: max(0, end - max(committed.get(partition, 0), low.get(partition, 0)))
        for partition, end in high.items()
    }


class GroupLag:
    """Asks the brokers for the lag of one consumer group. May be used from any one thread."""

    def __init__(self, settings: Settings, *, group: str, topics: Iterable[str]) -> None:
        self._group = group
        self._topics = frozenset(topics)
        self._admin = AdminClient(kafka_config(settings, "murmur-lag"))

    def read(self, timeout_s: float = 10.0) -> dict[Partition, int]:
        """Return the lag of every partition of the topics; raise `KafkaUnavailable`.

        A topic that does not exist has no partitions.
        """
        try:
            described = self._admin.list_topics(timeout=timeout_s).topics
            partitions = [
                TopicPartition(topic, number)
                for topic in sorted(self._topics & described.keys())
                for number in sorted(described[topic].partitions)
            ]
            if not partitions:
                return {}
            earliest = self._offsets(partitions, OffsetSpec.earliest(), timeout_s)
            latest = self._offsets(partitions, OffsetSpec.latest(), timeout_s)
            request = [ConsumerGroupTopicPartitions(self._group, partitions)]
            answer = self._admin.list_consumer_group_offsets(request, request_timeout=timeout_s)
            found = answer[self._group].result().topic_partitions or []
        except KafkaException as error:
            raise KafkaUnavailable(f"Kafka did not answer: {error.args[0].str()}") from error
        committed = {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}
        return lag_of(committed, earliest, latest)

    def total(self, timeout_s: float = 10.0) -> int:
        """Return the lag over all partitions; raise `KafkaUnavailable`."""
        return sum(self.read(timeout_s).values())

    def _offsets(
        self, partitions: list[TopicPartition], spec: OffsetSpec, timeout_s: float
    ) -> dict[Partition, int]:
        wanted = dict.fromkeys(partitions, spec)
        answers = self._admin.list_offsets(wanted, request_timeout=timeout_s)
        return {(p.topic, p.partition): future.result().offset for p, future in answers.items()}
