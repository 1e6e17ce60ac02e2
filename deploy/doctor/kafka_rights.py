"""Which of the rights that a process needs on Kafka this user has."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ResourceType

from deploy.doctor.finding import Finding, note, well, wrong
from deploy.installation.acls import Right, acls_of
from schemas.failures import Failure
from schemas.process.process_list import PROCESSES, ProcessSpec
from schemas.setting_views import Cluster, Names
from schemas.transport.kafka_config import kafka_config

_ANSWER_S: Final = 10.0
_ADVICE: Final = "see the list of ACLs in deploy/installation/README.md"
_DENIED: Final = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
)


@dataclass(frozen=True)
class RightsHeld:
    """The operations that a user may do, by the name of what they are done to.

    A topic or group that the user may not see has none. A topic that is missing is not in
    `on_topics`.
    """

    on_topics: Mapping[str, Collection[str]]
    on_groups: Mapping[str, Collection[str]]
    missing_topics: Sequence[str] = ()

    def lacks(self, right: Right) -> bool:
        """Tell whether the user may not do this."""
        kind, name, operation = right
        held = self.on_topics if kind is ResourceType.TOPIC else self.on_groups
        return operation.name not in held.get(name, ())


def rights_held(
    cluster: Cluster, topics: Sequence[str], processes: Sequence[ProcessSpec]
) -> RightsHeld:
    """Ask Kafka what this user may do with topics, and with the groups of processes.

    Raises `Failure` where Kafka does not answer.
    """
    admin = AdminClient(kafka_config(cluster.kafka, "murmur-doctor"))
    on_topics: dict[str, Collection[str]] = {}
    missing = []
    groups = sorted(
        {
            name
            for process in processes
            for kind, name, _ in acls_of(process, cluster.names)
            if kind is ResourceType.GROUP
        }
    )
    described = admin.describe_topics(
        TopicCollection(list(topics)),
        include_authorized_operations=True,
        request_timeout=_ANSWER_S,
    )
    for topic, future in described.items():
        try:
            on_topics[topic] = _names(future.result().authorized_operations)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                missing.append(topic)
            else:
                on_topics[topic] = _none_or_raise(error, cluster)
    on_groups: dict[str, Collection[str]] = {}
    if groups:
        asked = admin.describe_consumer_groups(
            groups, include_authorized_operations=True, request_timeout=_ANSWER_S
        )
        for group, future in asked.items():
            try:
                on_groups[group] = _names(future.result().authorized_operations)
            except KafkaException as error:
                on_groups[group] = _none_or_raise(error, cluster)
    return RightsHeld(on_topics, on_groups, missing)


def _names(operations: Collection[object] | None) -> set[str]:
    return {str(getattr(operation, "name", "")) for operation in operations or ()}


def _none_or_raise(error: KafkaException, cluster: Cluster) -> Collection[str]:
    if error.args[0].code() in _DENIED:
        return ()
    raise Failure(
        f"Kafka ({cluster.kafka.servers}) does not answer: {error.args[0].str()}"
    ) from error


def judge_rights_on_kafka(
    held: RightsHeld, processes: Sequence[ProcessSpec], names: Names
) -> list[Finding]:
    """Judge whether a user may do what these processes need.

    Without any, each is a user's of its own perhaps: it is enough that one of them can run.
    """
    lacking = {
        process.name: [right for right in acls_of(process, names) if held.lacks(right)]
        for process in processes or PROCESSES
    }
    able = [name for name, lacks in lacking.items() if not lacks]
    if len(able) == len(lacking):
        told = ", ".join(able) if processes else "every process"
        return [well("permissions", f"Kafka: may do what {told} needs")]
    tell = wrong if processes or not able else note
    findings = [well("permissions", f"Kafka: enough for {', '.join(able)}")] if able else []
    return [
        *findings,
        *(
            tell("permissions", f"Kafka: not enough for {name}: may not {_told(lacks)}", _ADVICE)
            for name, lacks in lacking.items()
            if lacks
        ),
    ]


def _told(rights: Sequence[Right]) -> str:
    return ", ".join(
        f"{operation.name} {kind.name.lower()} {name}" for kind, name, operation in rights
    )
