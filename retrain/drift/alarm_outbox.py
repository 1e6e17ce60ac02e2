"""From the table of alarms to the topic `alarms`: the rows are an outbox."""

from dataclasses import dataclass
from typing import Final

import msgspec
from psycopg2.extensions import cursor

from retrain.drift.alarms.metrics import AlarmMetrics
from schemas.alarm_events import (
    AlarmEnded,
    AlarmMessage,
    AlarmRaised,
    alarm_headers,
    encode_alarm,
)
from schemas.transport.postgres import Connection
from schemas.transport.publisher import ConfirmingPublisher

_AT_ONCE: Final = 500
"""Events that are read, published and marked together."""


@dataclass(frozen=True)
class _Outgoing:
    """One type of event: the rows that wait for it, its fields by name, and how they are marked."""

    event: type[AlarmRaised] | type[AlarmEnded]
    waiting: str
    mark: str


_OUTGOING: Final = (
    _Outgoing(
        AlarmRaised,
        "SELECT alarm_id, run, rule, kind, signal, subject, window_start, window_end, value,"
        " detector, model_sha256, since, reference, tweets, false_alarms_per_year, compared_with,"
        " raised_at"
        " FROM alarms WHERE raised_published_at IS NULL"
        " ORDER BY raised_at, window_start, alarm_id LIMIT %s",
        "UPDATE alarms SET raised_published_at = now() WHERE alarm_id = ANY(%s)",
    ),
    _Outgoing(
        AlarmEnded,
        "SELECT alarm_id, run, rule, kind, signal, subject, ended_window_start AS window_start,"
        " ended_window_end AS window_end, ended_value AS value, ended_at"
        " FROM alarms WHERE ended_at IS NOT NULL AND ended_published_at IS NULL"
        " AND raised_published_at IS NOT NULL ORDER BY ended_at, window_end, alarm_id LIMIT %s",
        "UPDATE alarms SET ended_published_at = now() WHERE alarm_id = ANY(%s)",
    ),
)


def publish_waiting(
    connection: Connection,
    publisher: ConfirmingPublisher,
    *,
    topic: str,
    metrics: AlarmMetrics | None = None,
) -> int:
    """Publish every event of an alarm that Kafka has not acknowledged yet; return how many.

    At least once: a row is marked after the acknowledgement, so whoever is killed between the two
    publishes it again. `alarm_id` and the type of the event identify it. An alarm's raising comes
    before its ending. Raises `DeliveryFailed` where Kafka does not acknowledge: those events stay
    waiting. Runs transactions of its own on the connection, which is in none when it is called.
    `metrics` learn what was published, and what is open.
    """
    published = sum(
        _publish(connection, publisher, topic, outgoing, metrics) for outgoing in _OUTGOING
    )
    if metrics is not None:
        with connection, connection.cursor() as cur:
            metrics.read_open(cur)
    return published


def _publish(
    connection: Connection,
    publisher: ConfirmingPublisher,
    topic: str,
    outgoing: _Outgoing,
    metrics: AlarmMetrics | None,
) -> int:
    published = 0
    while True:
        with connection, connection.cursor() as cur:
            events = _waiting(cur, outgoing)
        if not events:
            return published
        for event in events:
            publisher.publish(
                topic,
                key=event.alarm_id.encode(),
                value=encode_alarm(event),
                headers=alarm_headers(event),
            )
        publisher.confirm()
        with connection, connection.cursor() as cur:
            cur.execute(outgoing.mark, ([event.alarm_id for event in events],))
        published += len(events)
        if metrics is not None:
            metrics.count_raised(events)


def _waiting(cur: cursor, outgoing: _Outgoing) -> list[AlarmMessage]:
    cur.execute(outgoing.waiting, (_AT_ONCE,))
    names = [column.name for column in cur.description or ()]
    return [
        msgspec.convert(
            {"type": outgoing.event.__name__, **dict(zip(names, row, strict=True))}, outgoing.event
        )
        for row in cur
    ]
