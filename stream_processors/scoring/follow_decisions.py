"""The decisions in use, as every scoring process sees them: read before it consumes, then followed.

Each message of the topic is a whole decision, keyed by its run.
"""

import logging
from collections.abc import Callable, Mapping

from schemas.codec import InvalidEvent
from schemas.decisions import NamedDecision, decode_chosen, named
from schemas.setting_views import Cluster
from schemas.topics import DECISIONS
from schemas.transport.compacted_topic import CompactedTopic

logger = logging.getLogger(__name__)


class DecisionsInUse:
    """Follows the topic in one thread; any other may ask what is in use.

    `told` gets each decision that is taken in. A message that is no decision of the run that it is
    keyed by is logged and changes nothing.
    """

    def __init__(self, cluster: Cluster, told: Callable[[NamedDecision], None]) -> None:
        self._told = told
        self._by_run: Mapping[str, NamedDecision] = {}
        self.topic = CompactedTopic(
            cluster.kafka,
            cluster.names.topic(DECISIONS),
            client_id="murmur-decisions",
            take=self._take,
        )

    def by_run(self) -> Mapping[str, NamedDecision]:
        """Return the decisions in use; what is returned does not change any more."""
        return self._by_run

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        run = (key or b"").decode(errors="replace")
        others = {name: chosen for name, chosen in self._by_run.items() if name != run}
        if value is None:
            if run in self._by_run:
                logger.info("no decision is used any more", extra={"run": run})
            self._by_run = others
            return
        try:
            chosen = named(decode_chosen(value).decision)
        except InvalidEvent as error:
            logger.warning("ignored a message of the decisions' topic: %s", error)
            return
        if chosen.decision.run != run:
            logger.warning("ignored a decision whose key names another run than it does")
            return
        self._by_run = {**others, run: chosen}
        self._told(chosen)
