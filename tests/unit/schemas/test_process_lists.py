"""The lists of processes and metrics say what is so."""

from typing import Any

import click
import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

from deploy.cli import murmur
from deploy.embedded.stack_state import PORT_NAMES
from model_server.explaining.explain import Method
from producers.x_connection.connection_end import Ending
from schemas.process.metric_list import (
    COMPLIANCE_ENDINGS,
    EXPOSING,
    METRICS,
    SERVE_EXPLANATIONS,
    STREAM_ENDINGS,
    metric_table,
    metrics_of,
)
from schemas.process.process_list import EMBEDDED, PROCESSES, Need, ProcessSpec
from schemas.settings import Settings
from tests.metrics_page import differences


def page_of(process: str) -> tuple[CollectorRegistry, str]:
    """Make everything that the list says of a process, and return its page."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for spec in metrics_of(process):
        if spec.name.startswith(("murmur_", "sentiment_", "model_")):
            spec_of_ours: Any = spec
            spec_of_ours.register(registry)
    return registry, generate_latest(registry).decode()


@pytest.mark.parametrize("process", EXPOSING)
def test_what_is_made_from_the_list_is_what_the_list_says(process: str) -> None:
    assert differences(page_of(process)[1], process) == []


def test_a_page_that_differs_from_the_list_is_noticed() -> None:
    registry, page = page_of("score")
    held = "# HELP murmur_score_held 1 while scoring is held"
    assert differences(page.replace(held, f"{held} up"), "score") == [
        "murmur_score_held is a gauge: 1 while scoring is held up"
    ]
    assert any("does not expose it" in line for line in differences("", "score"))
    cached = Counter("murmur_cached", "Of nobody", ["author"], registry=registry)
    cached.labels("2").inc()
    assert differences(generate_latest(registry).decode(), "score") == [
        "score exposes murmur_cached, which is not in the list"
    ]
    odd = 'murmur_score_dead_letters_total{reason="odd"} 1.0'
    kind = "# TYPE murmur_score_dead_letters_total counter"
    assert differences(page.replace(kind, f"{kind}\n{odd}"), "score") == [
        "murmur_score_dead_letters has reason='odd', which is not in the list"
    ]


def test_each_metric_stands_once_in_the_list_and_has_a_name_as_prometheus_wants_it() -> None:
    names = [spec.name for spec in METRICS]
    assert len(set(names)) == len(names)
    for spec in METRICS:
        assert spec.name.endswith("_total") == (spec.kind == "counter")
        assert spec.help
        assert set(spec.exposed_by) <= set(EXPOSING)


def test_what_is_replaced_names_what_is_there_and_stays_beside_it() -> None:
    names = {spec.name for spec in METRICS}
    replaced = {spec.name: spec.replaced_by.split(", ") for spec in METRICS if spec.replaced_by}
    assert set(replaced) == {"murmur_score_events_total", "murmur_stream_capture_failures"}
    assert {new for others in replaced.values() for new in others} <= names
    assert "Goes with the next release" in metric_table()


def test_connections_end_as_the_list_says() -> None:
    endings = {ending.value for ending in Ending}
    for spec in (STREAM_ENDINGS, COMPLIANCE_ENDINGS):
        assert set(spec.labels["reason"] or ()) == endings


def test_explanations_are_counted_by_every_method_that_there_is() -> None:
    assert set(SERVE_EXPLANATIONS.labels["method"] or ()) == {method.value for method in Method}


def test_the_table_has_a_row_for_each_metric() -> None:
    rows = metric_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [spec.name for spec in METRICS]
    assert {row.replace(r"\|", "").count("|") for row in rows} == {7}


def test_no_two_processes_have_one_name_or_port() -> None:
    assert len({process.name for process in PROCESSES}) == len(PROCESSES)
    assert len({process.probe_port for process in PROCESSES}) == len(PROCESSES)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_process_is_a_command_with_its_probe_port(process: ProcessSpec) -> None:
    command: click.Command = murmur
    for name in process.command:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    (port,) = (option for option in command.params if option.name == "probe_port")
    assert port.default == process.probe_port


def test_needs_are_settings_and_every_embedded_process_has_a_port() -> None:
    assert {need.value for need in Need} <= Settings.model_fields.keys()
    assert {process.name for process in EMBEDDED} <= set(PORT_NAMES)
