"""Compose file, chart and units run the processes of the one list, as the list says."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.process.process_list import PROCESSES, ProcessSpec
from schemas.settings import SECRETS_IN_FILES, Settings
from schemas.topics import RAW, SCORE_GROUP


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load(Path(__file__).parents[3].joinpath("docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def chart(repository: Path) -> Path:
    return repository / "deploy" / "kubernetes" / "chart"


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[3]


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_compose_runs_a_process_by_its_name_locked_down(compose: Any, process: ProcessSpec) -> None:
    service = compose["services"][process.name]
    assert tuple(service["command"][: len(process.command)]) == process.command
    # Its probes are where the list says: the command changes no port.
    assert not any("probe-port" in argument for argument in service["command"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory"}
    assert service["healthcheck"]["test"] == ["CMD", "/opt/murmur/bin/murmur", "health"]


def test_compose_publishes_nothing_but_on_the_loopback(compose: Any) -> None:
    published = [p for s in compose["services"].values() for p in s.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_compose_names_images_exactly_and_has_secrets_in_files_alone(compose: Any) -> None:
    for name, service in compose["services"].items():
        tag = service["image"].rpartition("/")[2].partition(":")[2]
        assert tag, name
        assert tag != "latest", name
        for variable, value in service.get("environment", {}).items():
            if variable.removeprefix("MURMUR_").lower() in SECRETS_IN_FILES:
                pytest.fail(f"{name} has {variable}={value}: name a file")


def test_compose_sets_settings_that_exist(compose: Any) -> None:
    known = {f"MURMUR_{field.upper()}" for field in Settings.model_fields}
    for process in PROCESSES:
        settings = compose["services"][process.name]["environment"]
        assert {name for name in settings if name.startswith("MURMUR_")} <= known


def test_the_secrets_are_made_once_and_their_folder_is_private(
    repository: Path, tmp_path: Path, compose: Any
) -> None:
    folder = tmp_path / "secrets"
    make = ["sh", "deploy/compose/make_secrets.sh", str(folder)]
    subprocess.run(make, cwd=repository, check=True, timeout=60)
    before = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run(make, cwd=repository, check=True, timeout=60)
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(compose["secrets"]) <= before.keys()
    assert before["postgres_password"].strip() in before["postgres"]


def test_the_chart_runs_the_same_processes_on_the_same_ports(chart: Path) -> None:
    listed = yaml.safe_load((chart / "processes.yaml").read_text())
    assert listed.keys() == {process.name for process in PROCESSES}
    for process in PROCESSES:
        found = listed[process.name]
        assert tuple(found["command"][: len(process.command)]) == process.command
        assert found["probePort"] == process.probe_port
    values = yaml.safe_load((chart / "values.yaml").read_text())
    assert values["processes"].keys() == listed.keys()
    scaled = (chart / "templates" / "keda.yaml").read_text()
    assert f"}}}}{SCORE_GROUP}\n" in scaled
    assert f"}}}}{RAW}\n" in scaled


def test_image_chart_and_compose_are_of_this_version(
    repository: Path, chart: Path, compose: Any
) -> None:
    found = re.search(r'^version = "(.*)"', (repository / "pyproject.toml").read_text(), re.M)
    assert found is not None
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == found[1]
    assert f":{found[1]}}}" in compose["services"]["score"]["image"]
    assert f":{found[1]}}}" in compose["services"]["retrain-watch"]["image"]


def test_units_are_of_processes_and_workflows_use_make_alone(repository: Path) -> None:
    unit = (repository / "deploy/systemd/murmur@.service").read_text()
    assert "ExecStart=/opt/murmur/bin/murmur %i" in unit
    for workflow in (repository / ".github/workflows").glob("*.yml"):
        document = yaml.safe_load(workflow.read_text())
        assert document["permissions"] == {}
        for job in document["jobs"].values():
            for step in job["steps"]:
                assert re.fullmatch(r"make [a-z A-Z=-]+", step.get("run", "make x"))
                pinned = r"[\w./-]+@[0-9a-f]{40}"
                assert re.fullmatch(pinned, step.get("uses", f"a@{'0' * 40}"))
