"""A topic that is deleted and made again, as an operator does it by mistake."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from deploy.installation.topics import TopicInstaller
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import topic_specs
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until


def make_anew(settings: Settings, topic: str) -> None:
    """Delete a topic and make it again; one that is being deleted cannot be made yet."""
    name = settings.names.topic(topic)
    admin = AdminClient({**kafka_config(settings.kafka_connection, "test"), "log_level": 0})
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
            installer.make(topic_specs(settings.names, settings.topic_layout))
        except Failure:
            return False
        return True

    wait_until(gone, 120, "the topic to be gone")
    wait_until(made, 120, "the topic to be made anew")
