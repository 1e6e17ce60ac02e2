"""What others do to topics: abort a transaction, add partitions, delete and make them anew."""

import contextlib
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions

from deploy.demo.pipeline_wait import Pipeline, await_processed
from schemas.settings import Settings
from schemas.topics import RAW, SCORE_GROUP, SCORED
from schemas.transport.group_lag import GroupLag, KafkaUnavailable
from schemas.transport.kafka_config import kafka_config
from tests.conditions import wait_until
from tests.made_anew import make_anew
from tests.transactions import in_a_transaction
from tests.unit.examples import deleted, posted

_READ_WITHIN_S: Final = 60.0
_STANDS_STILL_AFTER_S: Final = 90.0
_WORKED_OFF_WITHIN_S: Final = 300.0
_FIRST_ABORTED: Final = 1_700_000_000_000_000_000
_ABORTED_TOGETHER: Final = 50


@dataclass
class TopicFaults:
    """The faults of the plan that are done to a topic.

    `paused` keeps everybody from publishing. `aborted` lists the ids of tweets whose transaction
    was aborted, `unread` the partitions that were not read within a minute after the topic had got
    them.
    """

    settings: Settings
    paused: Callable[[], AbstractContextManager[None]]
    aborted: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def do(self, kind: str) -> None:
        """Do one of them, once Kafka takes it."""
        match kind:
            case "tweets-aborted":
                self._abort_tweets()
            case "partitions-raised":
                self._raise_partitions()
            case "raw-made-anew":
                self._make_anew(RAW)
            case "scored-made-anew":
                self._make_anew(SCORED)
            case _:
                raise ValueError(kind)

    def _abort_tweets(self) -> None:
        """Publish tweets that are nowhere else in one transaction, and abort it."""
        first = _FIRST_ABORTED + len(self.aborted)
        tweets = [posted(tweet_id=str(first + number)) for number in range(_ABORTED_TOGETHER)]
        _until_kafka_takes(partial(in_a_transaction, self.settings, RAW, tweets, kept=False))
        self.aborted += [tweet.tweet_id for tweet in tweets]

    def _raise_partitions(self) -> None:
        """Give `tweets.raw` one more partition; see what is published there scored."""
        topic = self.settings.names.topic(RAW)
        admin = AdminClient(kafka_config(self.settings.kafka_connection, "murmur-torture"))
        number = len(wait_until(lambda: _partitions(admin, topic), 60, "Kafka to answer"))
        admin.create_partitions([NewPartitions(topic, number + 1)])[topic].result(60)
        # Nobody has posted it: nothing else changes.
        event = deleted(str(_FIRST_ABORTED - 1 - number))
        _until_kafka_takes(
            partial(in_a_transaction, self.settings, RAW, [event], kept=True, partition=number)
        )
        lag = GroupLag(
            self.settings.kafka_connection,
            group=self.settings.names.group(SCORE_GROUP),
            topics=[topic],
        )

        def is_read() -> bool:
            with contextlib.suppress(KafkaUnavailable):
                return (topic, number) in lag.standings().committed
            return False

        try:
            wait_until(is_read, _READ_WITHIN_S, "the new partition to be read")
        except AssertionError:
            self.unread.append(f"partition {number}")
        finally:
            lag.close()

    def _make_anew(self, topic: str) -> None:
        """Delete a topic and make it again, once all that it held was worked off.

        What is published afterwards stands at offsets that the old topic had too.
        """
        with self.paused():
            await_processed(
                Pipeline(self.settings.cluster).remaining,
                stall_after_s=_STANDS_STILL_AFTER_S,
                limit_s=_WORKED_OFF_WITHIN_S,
            )
            make_anew(self.settings, topic)


def _until_kafka_takes(publish: Callable[[], None]) -> None:
    """Publish, again and again while the broker is away: each time as another producer."""

    def taken() -> bool:
        with contextlib.suppress(KafkaException):
            publish()
            return True
        return False

    wait_until(taken, 120, "Kafka to take a transaction")


def _partitions(admin: AdminClient, topic: str) -> Collection[int]:
    """Return a topic's partitions; none while no broker answers."""
    with contextlib.suppress(KafkaException):
        return admin.list_topics(topic, timeout=10).topics[topic].partitions
    return ()
