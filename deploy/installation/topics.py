"""The topics: what differs from what Murmur needs, and making what is missing."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from schemas.failures import Failure
from schemas.setting_views import Cluster, TopicLayout
from schemas.topics import TopicSpec, topic_specs
from schemas.transport.kafka_config import kafka_config
from schemas.transport.kafka_trust import require_trusted_kafka

_TIMEOUT_S = 30.0
_ANSWER_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class TopicFound:
    """A topic as it stands on the cluster."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class TopicReport:
    """How the cluster's topics compare with what the settings ask for.

    `wrong` loses data and stops an installation; `differing` works, but is not what the settings
    say. Both hold sentences for people.
    """

    missing: tuple[TopicSpec, ...]
    differing: tuple[str, ...]
    wrong: tuple[str, ...]


def compare_topics(specs: Iterable[TopicSpec], found: Mapping[str, TopicFound]) -> TopicReport:
    """Compare what is needed with what stands. More partitions than asked for are fine."""
    missing: list[TopicSpec] = []
    differing: list[str] = []
    wrong: list[str] = []
    for spec in specs:
        topic = found.get(spec.name)
        if topic is None:
            missing.append(spec)
            continue
        if topic.partitions < spec.partitions:
            differing.append(
                f"{spec.name} has {topic.partitions} partitions, the settings say {spec.partitions}"
            )
        for key, wanted in spec.config().items():
            actual = topic.config.get(key)
            if actual != wanted:
                sentence = f"{spec.name} has {key}={actual}, the settings say {wanted}"
                (wrong if key == "cleanup.policy" else differing).append(sentence)
    return TopicReport(tuple(missing), tuple(differing), tuple(wrong))


class TopicInstaller:
    """Reads and makes the topics of one installation. Raises `Failure` where Kafka refuses."""

    def __init__(self, cluster: Cluster, layout: TopicLayout) -> None:
        self._kafka = cluster.kafka
        self._specs = topic_specs(cluster.names, layout)
        self._admin = AdminClient(kafka_config(cluster.kafka, "murmur-init"))

    def report(self, names: Collection[str] | None = None) -> TopicReport:
        """Compare the cluster with the settings; change nothing.

        With `names`, other topics are not asked about: reading a topic's configuration takes the
        right to do so.
        """
        specs = [spec for spec in self._specs if names is None or spec.name in names]
        return compare_topics(specs, self._found({spec.name for spec in specs}))

    def make(self, specs: Iterable[TopicSpec]) -> None:
        """Make topics and return when the cluster shows them; others may make the same."""
        new = [
            NewTopic(
                spec.name,
                num_partitions=spec.partitions,
                replication_factor=spec.replication,
                config=spec.config(),
            )
            for spec in specs
        ]
        for name, future in self._admin.create_topics(new).items() if new else ():
            try:
                future.result(timeout=_TIMEOUT_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise Failure(f"{name} cannot be made: {error.args[0].str()}") from error
        names = {topic.topic for topic in new}
        self._await(lambda report: not names & {spec.name for spec in report.missing})

    def alter(self) -> None:
        """Give existing topics the partitions and the configuration that the settings say.

        Returns when the cluster shows it. Partitions only grow; a key's later messages then lie
        in another one than its earlier.
        """
        found = self._found({spec.name for spec in self._specs})
        existing = [spec for spec in self._specs if spec.name in found]
        grow = [
            NewPartitions(spec.name, spec.partitions)
            for spec in existing
            if found[spec.name].partitions < spec.partitions
        ]
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                spec.name,
                incremental_configs=[
                    ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                    for key, value in spec.config().items()
                ],
            )
            for spec in existing
        ]
        changes = [
            *(self._admin.create_partitions(grow).items() if grow else ()),
            *(self._admin.incremental_alter_configs(resources).items() if resources else ()),
        ]
        for subject, future in changes:
            try:
                future.result(timeout=_TIMEOUT_S)
            except KafkaException as error:
                raise Failure(f"{subject} cannot be changed: {error.args[0].str()}") from error
        self._await(lambda report: not report.wrong and not report.differing)

    def _await(self, condition: Callable[[TopicReport], bool]) -> None:
        """Wait until a change that the controller has confirmed is seen on the brokers too."""
        deadline = time.monotonic() + _TIMEOUT_S
        while not condition(self.report()):
            if time.monotonic() > deadline:
                raise Failure("Kafka confirmed a change of topics but does not show it: try again")
            time.sleep(0.1)

    def _found(self, wanted: set[str]) -> dict[str, TopicFound]:
        try:
            # All topics are listed: asking for one by name could create it.
            topics = self._admin.list_topics(timeout=_ANSWER_TIMEOUT_S).topics
            present = {name: topics[name] for name in wanted & topics.keys()}
            resources = [ConfigResource(ResourceType.TOPIC, name) for name in present]
            futures = self._admin.describe_configs(resources) if resources else {}
            configs = {
                resource.name: {
                    key: entry.value for key, entry in future.result(_TIMEOUT_S).items()
                }
                for resource, future in futures.items()
            }
        except KafkaException as error:
            require_trusted_kafka(self._kafka)
            raise Failure(
                f"Kafka ({self._kafka.servers}) does not answer: {error.args[0].str()}"
            ) from error
        return {
            name: TopicFound(name, len(topic.partitions), configs[name])
            for name, topic in present.items()
        }
