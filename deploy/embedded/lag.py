"""How far the workers are behind, by topic."""

from collections import Counter
from dataclasses import dataclass

from schemas.setting_views import Cluster
from schemas.topics import DEAD_LETTER, RAW, SCORE_GROUP, SCORED, SINK_GROUP, WATCH_GROUP
from schemas.transport.group_lag import GroupLag


@dataclass(frozen=True)
class TopicLag:
    """A group's messages that are not yet committed, over all partitions of a topic."""

    group: str
    topic: str
    lag: int


def topic_lags(cluster: Cluster) -> list[TopicLag]:
    """Return the lag of the workers, in a tweet's order; raise `KafkaUnavailable`.

    Asked in that order, zeros mean that everything published before is stored, and watched.
    """
    found = []
    for group, topics in (
        (SCORE_GROUP, (RAW,)),
        (SINK_GROUP, (SCORED, DEAD_LETTER)),
        (WATCH_GROUP, (SCORED,)),
    ):
        names = [cluster.names.topic(topic) for topic in topics]
        asked = GroupLag(cluster.kafka, group=cluster.names.group(group), topics=names)
        try:
            behind = Counter(dict.fromkeys(names, 0))
            for (topic, _), lag in asked.read().items():
                behind[topic] += lag
        finally:
            asked.close()
        found += [TopicLag(cluster.names.group(group), name, behind[name]) for name in names]
    return found
