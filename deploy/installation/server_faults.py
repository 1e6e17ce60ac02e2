"""What is wrong with the servers of an installation, as far as they can be asked."""

from contextlib import closing

import psycopg2
import redis
from confluent_kafka.admin import AdminClient

from deploy.installation.migrations import missing_migrations
from deploy.installation.tell_again import untold_promotion
from deploy.installation.topics import TopicInstaller
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, SCORED
from schemas.transport.cache import connect_redis, why_redis_fails
from schemas.transport.kafka_config import kafka_config
from schemas.transport.positions import SINK
from schemas.transport.postgres import connect_postgres
from schemas.transport.topic_ids import find_topic_ids


def server_faults(settings: Settings, *, ask_kafka: bool = True) -> tuple[str, ...]:
    """Return a sentence for everything that keeps the pipeline from working; change nothing.

    Empty only where Kafka has all topics and the last promotion, PostgreSQL all tables, Redis
    answers, and the tables hold what came from this Kafka. A server that no setting names is a
    fault too. Where it is known that Kafka does not answer, `ask_kafka` spares its ten seconds.
    """
    topic_ids, faults = _of_kafka(settings) if ask_kafka else ({}, [])
    of_postgres = _of_postgres(settings, topic_ids)
    untold = _untold(settings) if topic_ids and not of_postgres else []
    return (*faults, *of_postgres, *untold, *_of_redis(settings))


def _of_kafka(settings: Settings) -> tuple[dict[str, str], list[str]]:
    """Return the ids of the sink's topics, where all topics are there, and the faults."""
    try:
        report = TopicInstaller(settings.cluster, settings.topic_layout).report()
        faults = [
            *(f"Kafka lacks the topic {spec.name}: run `murmur init`" for spec in report.missing),
            *report.wrong,
        ]
        if faults:
            return {}, faults
        topics = [settings.names.topic(topic) for topic in (SCORED, DEAD_LETTER)]
        admin = AdminClient(kafka_config(settings.kafka_connection, "murmur-status"))
        return find_topic_ids(admin, topics), []
    except Failure as failure:
        return {}, [str(failure)]


def _of_postgres(settings: Settings, topic_ids: dict[str, str]) -> list[str]:
    try:
        lacking = missing_migrations(settings.postgres_connection)
        if lacking:
            return [f"PostgreSQL lacks tables ({len(lacking)} migrations): run `murmur init`"]
        with (
            closing(connect_postgres(settings.postgres_connection, "status")) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT topic, array_agg(topic_id) FROM positions"
                " WHERE consumer = %s AND topic = ANY(%s) GROUP BY topic",
                (SINK, list(topic_ids)),
            )
            stored = dict(cursor.fetchall())
    except Failure as failure:
        return [str(failure)]
    except psycopg2.Error as error:
        return [f"PostgreSQL: {' '.join(str(error).split())}"]
    return [
        f"PostgreSQL was filled from another topic {topic}: this is another Kafka, or the topic "
        "was deleted and made again; the sink reads the new one from its beginning"
        for topic, ids in sorted(stored.items())
        if topic_ids[topic] not in ids
    ]


def _untold(settings: Settings) -> list[str]:
    try:
        untold = untold_promotion(settings.postgres_connection, settings.cluster)
    except (Failure, psycopg2.Error):
        # It was there a moment ago; what is wrong with it is told the next time.
        return []
    return [] if untold is None else [f"{untold}; `murmur init` tells it again"]


def _of_redis(settings: Settings) -> list[str]:
    try:
        with closing(connect_redis(settings.redis_connection)) as client:
            client.ping()
    except Failure as failure:
        return [str(failure)]
    except redis.RedisError as error:
        return [f"Redis does not answer ({why_redis_fails(error)}): see MURMUR_REDIS"]
    return []
