"""A topic that is deleted and made again, as an operator does it by mistake."""

import contextlib
from dataclasses import replace

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from deploy.installation.topics import TopicInstaller
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import topic_specs
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until


def make_anew(settings: Settings, topic: str) -> None:
    """Delete a topic and make it again, with as many partitions as it had.

    A client that knows more of them would send messages to what is not there.
    """
    name = settings.names.topic(topic)
    admin = AdminClient({**kafka_config(settings.kafka_connection, "test"), "log_level": 0})
    partitions = wait_until(lambda: _partitions(admin, name), 60, "Kafka to name the partitions")
    (spec,) = (
        replace(spec, partitions=partitions)
        for spec in topic_specs(settings.names, settings.topic_layout)
        if spec.name == name
    )
    installer = TopicInstaller(settings.cluster, settings.topic_layout)

    def gone() -> bool:
        try:
            admin.delete_topics([name], request_timeout=30)[name].result(60)
        except KafkaException as error:
            fault: KafkaError = error.args[0]
            return fault.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        return True

    def made() -> bool:
        try:
            installer.make([spec])
        except Failure:
            return False
        return True

    wait_until(gone, 120, "the topic to be gone")
    wait_until(made, 120, "the topic to be made anew")


def _partitions(admin: AdminClient, name: str) -> int:
    """Return how many partitions a topic has; 0 while nobody answers."""
    with contextlib.suppress(KafkaException):
        found = admin.list_topics(name, timeout=10).topics[name]
        return 0 if found.error else len(found.partitions)
    return 0
