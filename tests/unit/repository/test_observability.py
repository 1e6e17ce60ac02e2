"""Rules and routes name what there is; each alert has a page for whoever is woken, and tests."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from deploy.embedded.layout import Layout
from deploy.embedded.leftover_processes import remember_commands
from deploy.embedded.stack_state import PORT_NAMES, StackState, save_state
from deploy.observability import prometheus_config
from deploy.observability.dashboards import write_dashboards
from deploy.observability.dashboards.panels import PromQL
from schemas import write_asyncapi
from schemas.failures import Failure
from schemas.process.process_list import EMBEDDED, PROCESSES
from schemas.setting_views import Names, TopicLayout
from schemas.topics import topic_specs
from tests.observability_files import OBSERVABILITY, faults, rules, unknown_metrics


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(OBSERVABILITY, tmp_path / "observability"))


def test_every_alert_is_complete_and_asks_for_what_is_exposed() -> None:
    assert list(faults()) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "rules/process_alerts.yml",
            "max(murmur_score_held) == 1",
            "max(murmur_score_hold) == 1",
            (
                "process_alerts.yml: MurmurHeld asks for murmur_score_hold, which is not in the"
                " metric list"
            ),
        ),
        (
            "rules/recording.yml",
            "record: murmur:sink_confidence:mean1h",
            "record: murmur:sink_confidence:mean",
            (
                "model_alerts.yml: MurmurConfidenceDrop asks for murmur:sink_confidence:mean1h,"
                " which is not in the metric list"
            ),
        ),
        (
            "rules/tests/process_alerts.test.yml",
            "MurmurHeld is silent",
            "MurmurHeld is quiet",
            "process_alerts.yml: no test says when MurmurHeld is silent",
        ),
        (
            "alertmanager.yml",
            "RestartsOften|Stalled",
            "RestartsSeldom|Stalled",
            "alertmanager.yml names MurmurRestartsSeldom, which is no alert",
        ),
    ],
)
def test_a_seeded_fault_is_named(copied: Path, file: str, old: str, new: str, said: str) -> None:
    text = (copied / file).read_text(encoding="utf-8")
    assert old in text
    (copied / file).write_text(text.replace(old, new), encoding="utf-8")
    assert said in list(faults(copied))


def test_an_alert_without_a_runbook_is_named(copied: Path) -> None:
    (copied / "runbooks" / "MurmurHeld.md").unlink()
    assert list(faults(copied)) == ["process_alerts.yml: MurmurHeld has no runbook"]


def test_a_part_of_a_histogram_is_known_and_one_of_a_gauge_is_not() -> None:
    assert unknown_metrics("rate(murmur_sink_event_age_seconds_bucket[5m])", []) == []
    assert unknown_metrics("murmur_score_held_count", []) == ["murmur_score_held_count"]


def test_every_process_of_the_list_is_missed_when_it_is_down() -> None:
    (down,) = (rule for rule in rules() if rule.name == "MurmurProcessDown")
    (jobs,) = re.findall(r'job=~"([^"]+)"', down.expr)
    assert set(jobs.split("|")) == {process.name for process in PROCESSES}


def test_prometheus_asks_every_process_of_the_list() -> None:
    assert prometheus_config.main(["--check"]) == 0


def test_the_dashboards_and_the_document_of_topics_are_what_the_code_makes() -> None:
    assert write_dashboards.main(["--check"]) == 0
    assert write_asyncapi.main(["--check"]) == 0


def test_a_dashboard_that_somebody_changed_is_noticed(tmp_path: Path) -> None:
    assert write_dashboards.main([], tmp_path) == 0
    assert write_dashboards.main(["--check"], tmp_path) == 0
    file = tmp_path / "murmur-operations.json"
    file.write_text(file.read_text().replace('"refresh": "30s"', '"refresh": "5s"'))
    assert write_dashboards.main(["--check"], tmp_path) == 1


def test_panels_ask_for_metrics_that_are_exposed_and_have_names_of_their_own() -> None:
    recorded = [rule.name for rule in rules() if not rule.is_alert]
    for dashboard in write_dashboards.DASHBOARDS:
        titles = [panel.title for panel in dashboard.panels]
        assert len(set(titles)) == len(titles)
        for panel in dashboard.panels:
            for query in panel.queries:
                if isinstance(query, PromQL):
                    assert unknown_metrics(query.expr, recorded) == [], panel.title
                else:
                    assert "reading." in query.text


def test_every_topic_is_described() -> None:
    layout = TopicLayout(
        partitions=1, replication=1, raw_retention_hours=1, scored_retention_hours=1
    )
    topics = {spec.name for spec in topic_specs(Names(""), layout)}
    channels = write_asyncapi.asyncapi()["channels"].values()
    assert {channel["address"] for channel in channels} == topics


def test_a_stack_of_this_machine_is_asked_at_its_own_ports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Failure, match="there is no stack"):
        prometheus_config.main(["--home", str(tmp_path)])
    ports = {name: 20_000 + number for number, name in enumerate(PORT_NAMES)}
    save_state(
        Layout.of(tmp_path),
        StackState(
            ports=ports,
            postgres_password="",
            redis_password="",
            supervisor_password="",
            kafka_cluster_id="",
        ),
    )

    def targets() -> dict[str, list[str]]:
        assert prometheus_config.main(["--home", str(tmp_path)]) == 0
        config = yaml.safe_load(capsys.readouterr().out)
        return {
            job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
        }

    always = {process.name: [f"127.0.0.1:{ports[process.name]}"] for process in EMBEDDED}
    assert targets() == always
    layout = Layout.of(tmp_path)
    serve = ["murmur", "serve", "--probe-port", str(ports["serve"]), "--port", str(ports["page"])]
    remember_commands(layout, [["supervisord"], serve])
    assert targets() == always | {"serve": [f"127.0.0.1:{ports['serve']}"]}
