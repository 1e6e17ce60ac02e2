"""Alarms for Prometheus: there from the start, true to the table, and bounded."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from retrain.drift.alarm import AlarmId, Signal
from retrain.drift.alarm_outbox import publish_waiting
from retrain.drift.alarms.metrics import AlarmMetrics
from schemas.settings import Settings
from schemas.topics import ALARMS
from schemas.transport.postgres import Connection
from schemas.transport.publisher import ConfirmingPublisher
from tests.integration.test_alarms import HOUR, OF, START, ended, keep, publisher, raised

__all__ = ["publisher"]


def series(registry: CollectorRegistry, name: str) -> dict[tuple[str, ...], float]:
    """Return the values of a metric by the values of its labels, in the order of their names."""
    page = generate_latest(registry).decode()
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name
    }


def open_of(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    return series(registry, "murmur_watch_alarms_open")


NONE_OPEN = {("model", ""): 0, ("model", "other"): 0, ("world", ""): 0, ("world", "other"): 0}


def test_every_series_is_there_from_the_start() -> None:
    registry = CollectorRegistry()
    AlarmMetrics(registry)
    counted = series(registry, "murmur_watch_alarms_raised_total")
    assert len(counted) == 2 * len(Signal)
    assert set(counted.values()) == {0}
    assert open_of(registry) == NONE_OPEN


def test_published_alarms_are_counted_and_open_ones_shown(
    connection: Connection, settings: Settings, publisher: ConfirmingPublisher
) -> None:
    registry = CollectorRegistry()
    metrics = AlarmMetrics(registry)
    topic = settings.names.topic(ALARMS)
    keep(connection, raised(), raised(START, AlarmId("r", "", Signal.VOLUME)))
    for _ in range(2):
        publish_waiting(connection, publisher, topic=topic, metrics=metrics)
    counted = series(registry, "murmur_watch_alarms_raised_total")
    assert {labels: value for labels, value in counted.items() if value} == {
        ("world", "label_share"): 1,
        ("world", "volume"): 1,
    }
    assert open_of(registry) == {**NONE_OPEN, ("world", ""): 1, ("world", "airlines"): 1}
    keep(connection, ended(START + HOUR))
    publish_waiting(connection, publisher, topic=topic, metrics=metrics)
    assert open_of(registry) == {**NONE_OPEN, ("world", ""): 1}


def test_rules_beyond_the_bound_are_one_series_and_old_series_go(connection: Connection) -> None:
    registry = CollectorRegistry()
    metrics = AlarmMetrics(registry, most_rules=2)
    rules = ["a", "b", "c", "d"]
    of = {rule: AlarmId("r", rule, Signal.VOLUME) for rule in rules}
    keep(connection, *(raised(START, one) for one in of.values()), raised(START, OF))
    second = AlarmId("r", "d", Signal.LABEL_SHARE, "positive")
    keep(connection, raised(START, second))
    with connection, connection.cursor() as cur:
        metrics.read_open(cur)
    assert open_of(registry) == {
        **NONE_OPEN,
        ("world", "a"): 1,
        ("world", "d"): 2,
        ("world", "other"): 3,
    }
    keep(connection, *(ended(START + HOUR, one) for one in (*of.values(), second)))
    with connection, connection.cursor() as cur:
        metrics.read_open(cur)
    assert open_of(registry) == {**NONE_OPEN, ("world", "airlines"): 1}
