"""Which topic a name means now: one that was made anew has another id."""

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from schemas.failures import Failure
from schemas.setting_views import KafkaConnection
from schemas.transport.group_lag import KafkaUnavailable
from schemas.transport.kafka_config import kafka_config

_ANSWER_S: Final = 5.0


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


def partition_counts(admin: AdminClient, topics: Iterable[str], timeout_s: float) -> dict[str, int]:
    """Return how many partitions each topic has now, none where it is missing; raise `Failure`."""
    try:
        found = admin.list_topics(timeout=timeout_s).topics
    except KafkaException as error:
        raise Failure(f"Kafka: {error.args[0].str()}; see MURMUR_KAFKA") from error
    return {topic: len(found[topic].partitions) if topic in found else 0 for topic in topics}


class KnownTopics:
    """Whether topics are still those that a process began with.

    A client that has read a topic may neither fail nor go on where another of the same name takes
    its place. So the brokers are asked, by a client of their own. May be used from several threads.
    """

    def __init__(
        self, kafka: KafkaConnection, topics: Iterable[str], known: Mapping[str, str] | None = None
    ) -> None:
        self._topics = sorted(set(topics))
        self._known = dict(known or {})
        self._admin = AdminClient({**kafka_config(kafka, "murmur-topics"), "log_level": 0})
        self._lock = threading.Lock()

    def made_anew(self) -> list[str]:
        """Return the topics that another one has taken the place of; raise `KafkaUnavailable`.

        One that is missing is none of them. One that was not there before is known from now on.
        """
        return self._made_anew(self._ids_now())

    def are_the_same(self) -> bool | None:
        """Return whether no topic was made anew; None while one is missing: another may come.

        Raises `KafkaUnavailable`.
        """
        now = self._ids_now()
        if self._made_anew(now):
            return False
        return True if len(now) == len(self._topics) else None

    def id_of(self, topic: str) -> str:
        """Return the id of the topic that this process began with; "" where there was none yet."""
        with self._lock:
            return self._known.get(topic, "")

    def _made_anew(self, now: Mapping[str, str]) -> list[str]:
        with self._lock:
            self._known = {**now, **self._known}
            return [topic for topic, found in now.items() if self._known[topic] != found]

    def _ids_now(self) -> dict[str, str]:
        described = self._admin.describe_topics(
            TopicCollection(self._topics), request_timeout=_ANSWER_S
        )
        found = {}
        for topic, future in described.items():
            try:
                found[topic] = str(future.result().topic_id)
            except KafkaException as error:
                fault: KafkaError = error.args[0]
                if fault.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise KafkaUnavailable(f"Kafka did not answer: {fault.str()}") from error
        return found


def made_anew_sentence(topics: Iterable[str]) -> str:
    """Return what to say where topics were made anew."""
    return (
        f"made anew while this process ran: {', '.join(topics)}; a new process reads from the"
        " beginning"
    )
