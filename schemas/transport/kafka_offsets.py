"""Telling Kafka where PostgreSQL stands, for those who watch the lag."""

import logging
from collections.abc import Mapping

from confluent_kafka import KafkaException

from schemas.transport.consumer import CommittingConsumer
from schemas.transport.messages import Partition

logger = logging.getLogger(__name__)


class KafkaOffsets:
    """The group's offsets in Kafka, which follow PostgreSQL's positions.

    Its consumer goes on from PostgreSQL's alone: an offset that no broker takes now is committed
    later, and costs nothing but a lag that looks too large meanwhile.
    """

    def __init__(self, consumer: CommittingConsumer) -> None:
        self._consumer = consumer
        self._uncommitted: dict[Partition, int] = {}

    def follow(self, positions: Mapping[Partition, int]) -> None:
        """Note positions that PostgreSQL has committed."""
        self._uncommitted |= positions

    def commit(self) -> None:
        """Commit what was noted; what another process has taken over is that one's to commit."""
        assigned = self._consumer.assigned
        mine = {name: offset for name, offset in self._uncommitted.items() if name in assigned}
        try:
            if mine:
                self._consumer.commit(mine)
        except KafkaException as error:
            logger.warning(
                "the offsets could not be committed and are tried again: %s", error.args[0].str()
            )
        else:
            self._uncommitted.clear()
