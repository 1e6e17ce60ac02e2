"""Whether Kafka still has what a replay's positions say it has.

A position is stored with the last message of each partition at that moment: the replay's own events
are before it. While Kafka has that message, or has let it expire, it had the events until they
expired. Where it has another there, it went back: the file is published anew, which changes nothing
downstream but what was lost.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from confluent_kafka.admin import AdminClient
from msgspec import Struct

from schemas.failures import Failure
from schemas.setting_views import KafkaConnection
from schemas.transport.kafka_config import kafka_config
from schemas.transport.log_proof import Finding, LastMessage, LogReader
from schemas.transport.messages import Partition
from schemas.transport.topic_ids import find_topic_ids, partition_counts

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 5.0


class LogEnd(Struct, frozen=True, array_like=True):
    """The last message of a partition."""

    topic_id: str
    partition: int
    last: LastMessage


LogEnds = Sequence[LogEnd]


class KafkaLogs:
    """The logs of the topics that a replay publishes to."""

    def __init__(self, kafka: KafkaConnection, topics: Sequence[str]) -> None:
        self._admin = AdminClient(kafka_config(kafka, "murmur-replay"))
        self._topic_ids = find_topic_ids(self._admin, topics)
        self._log = LogReader(kafka, timeout_s=_TIMEOUT_S)

    def ends(self) -> LogEnds:
        """Return where the logs end now; nothing where the brokers do not answer.

        Topics are asked how many partitions they have: these may become more.
        """
        try:
            found = self._log.ends(partition_counts(self._admin, self._topic_ids, _TIMEOUT_S))
        except Failure as error:
            logger.warning("%s", error)
            return ()
        return [
            LogEnd(self._topic_ids[topic], number, last)
            for (topic, number), last in sorted(found.items())
        ]

    def have(self, ends: LogEnds) -> bool:
        """Tell whether the logs are still those that ended so; raise `KafkaUnavailable`."""
        return hold(ends, self._topic_ids, self._log.findings)

    def close(self) -> None:
        """Close the connections."""
        self._log.close()


def hold(
    ends: LogEnds,
    topic_ids: Mapping[str, str],
    find: Callable[[Mapping[Partition, LastMessage]], Mapping[Partition, Finding]],
) -> bool:
    """Tell whether every end is one of a topic that is there, in the log that it was taken of."""
    topics = {topic_id: topic for topic, topic_id in topic_ids.items()}
    if any(end.topic_id not in topics for end in ends):
        return False
    findings = find({(topics[end.topic_id], end.partition): end.last for end in ends})
    return Finding.ANOTHER_LOG not in findings.values()
