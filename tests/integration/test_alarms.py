"""Alarms: stored once, ended once, published at least once."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from retrain.drift.alarm import AlarmId, AlarmKind, Ended, Raised, Signal
from retrain.drift.alarm_outbox import publish_waiting
from retrain.drift.alarm_store import alarm_key, record
from schemas.alarm_events import AlarmEnded, AlarmRaised, decode_alarm
from schemas.settings import Settings
from schemas.topics import ALARMS
from schemas.transport.postgres import Connection
from schemas.transport.publisher import ConfirmingPublisher, DeliveryFailed
from tests.integration.replay_runs import messages

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 27, 14, tzinfo=UTC)
OF = AlarmId(run="r", rule="airlines", signal=Signal.LABEL_SHARE, subject="negative")


def raised(start: datetime = START, of: AlarmId = OF) -> Raised:
    return Raised(
        id=of,
        kind=AlarmKind.WORLD,
        detector="e-detector",
        model_sha256="a" * 64,
        since=start - 3 * HOUR,
        window_start=start,
        window_end=start + HOUR,
        value=0.51,
        reference=0.38,
        tweets=2140,
        false_alarms_per_year=0.05,
    )


def ended(start: datetime, of: AlarmId = OF) -> Ended:
    return Ended(id=of, window_start=start, window_end=start + HOUR, value=0.39)


def stored(connection: Connection) -> list[tuple[str, bool]]:
    """Return each alarm's key and whether it has ended, in order of time."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT alarm_id, ended_at IS NOT NULL FROM alarms ORDER BY window_start")
        return cursor.fetchall()


def keep(connection: Connection, *alarms: Raised | Ended) -> None:
    with connection, connection.cursor() as cursor:
        record(cursor, alarms)


@pytest.fixture
def publisher(settings: Settings) -> ConfirmingPublisher:
    return ConfirmingPublisher(settings.kafka_connection, "test")


def test_what_is_recorded_twice_is_stored_once(connection: Connection) -> None:
    story: list[Raised | Ended] = [raised(), ended(START + 5 * HOUR), raised(START + 9 * HOUR)]
    keep(connection, *story)
    once = stored(connection)
    keep(connection, *story)
    assert stored(connection) == once
    assert once == [(alarm_key(OF, START), True), (alarm_key(OF, START + 9 * HOUR), False)]


def test_a_window_that_ends_one_alarm_and_raises_the_next_may_be_recorded_twice(
    connection: Connection,
) -> None:
    keep(connection, raised())
    for _ in range(2):
        keep(connection, ended(START + HOUR), raised(START + HOUR))
    assert stored(connection) == [
        (alarm_key(OF, START), True),
        (alarm_key(OF, START + HOUR), False),
    ]


def test_a_window_may_raise_an_alarm_and_end_it(connection: Connection) -> None:
    for _ in range(2):
        keep(connection, raised(), ended(START))
    assert stored(connection) == [(alarm_key(OF, START), True)]


def test_of_one_thing_one_alarm_is_open(connection: Connection) -> None:
    other = msgspec.structs.replace(OF, subject="positive")
    keep(connection, raised(), raised(START + HOUR), raised(START, other))
    assert sorted(stored(connection)) == sorted(
        [(alarm_key(OF, START), False), (alarm_key(other, START), False)]
    )


def test_an_end_without_an_open_alarm_does_nothing(connection: Connection) -> None:
    keep(connection, ended(START), raised(START + HOUR), ended(START))
    assert stored(connection) == [(alarm_key(OF, START + HOUR), False)]


def test_each_alarm_is_published_until_kafka_has_it(
    connection: Connection, settings: Settings, publisher: ConfirmingPublisher
) -> None:
    topic = settings.names.topic(ALARMS)
    keep(connection, raised(), ended(START + HOUR), raised(START + 2 * HOUR))
    with pytest.raises(DeliveryFailed):
        publish_waiting(connection, publisher, topic="no topic can have this name")
    assert publish_waiting(connection, publisher, topic=topic) == 3
    assert publish_waiting(connection, publisher, topic=topic) == 0
    sent = messages(settings, ALARMS)
    events = [decode_alarm(message.value() or b"") for message in sent]
    assert [(type(event), event.alarm_id) for event in events] == [
        (AlarmRaised, alarm_key(OF, START)),
        (AlarmRaised, alarm_key(OF, START + 2 * HOUR)),
        (AlarmEnded, alarm_key(OF, START)),
    ]
    assert [message.key() for message in sent] == [event.alarm_id.encode() for event in events]
    assert dict(sent[0].headers() or []) == {"run": b"r", "type": b"AlarmRaised"}
