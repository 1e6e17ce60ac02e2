"""Rules and routes name what there is; each alert has a page for whoever is woken, and tests."""

import shutil
from pathlib import Path

import pytest

from deploy.observability import prometheus_config
from tests.observability_files import OBSERVABILITY, faults, unknown_metrics


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


def test_prometheus_asks_every_process_of_the_list() -> None:
    assert prometheus_config.main(["--check"]) == 0
