"""A bundle comes out of MLflow's registry as it went in, or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from model_server.bundle import RefusedBundle
from model_server.scorer import load_scorer
from retrain.cli import model
from retrain.registry.bundles import parse_reference
from retrain.tracking import MlflowRefused
from tests.keyword_bundle import keyword_bundle

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def run(home: Path, *arguments: str | Path) -> Result:
    """Run `murmur model` in this process, with a registry in this home."""
    environment = {"MURMUR_HOME": str(home), "MLFLOW_TRACKING_URI": ""}
    return CliRunner(env=environment).invoke(model, [str(argument) for argument in arguments])


def document(home: Path, *arguments: str | Path) -> dict[str, Any]:
    result = run(home, *arguments, "--json")
    assert result.exit_code == 0, repr(result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return keyword_bundle(tmp_path / "bundle", {"good": "good", "bad": "bad"}, name="mood").folder


def test_what_is_fetched_is_what_was_logged(home: Path, folder: Path, tmp_path: Path) -> None:
    logged = document(home, "log", folder, "--alias", "champion", "--alias", "challenger")
    fetched = document(home, "fetch", "mood@champion", "--out", tmp_path / "fetched")
    assert fetched["sha256"] == logged["sha256"]
    assert fetched["registry_version"] == logged["registry_version"]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        file.name: file.read_bytes() for file in (tmp_path / "fetched").iterdir()
    }
    assert load_scorer(tmp_path / "fetched", cache_size=0).predict(["good"])[0].label == "good"


def test_an_alias_moves_to_the_newer_bundle_and_the_older_one_stays(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    (folder / "labels.csv").write_text("text,label\nwhat somebody wrote,good\n")
    newer = keyword_bundle(tmp_path / "newer", {"good": "good", "bad": "bad", "grim": "bad"})
    first = document(home, "log", folder, "--name", "moving", "--alias", "champion")
    second = document(home, "log", newer.folder, "--name", "moving")
    assert int(second["registry_version"]) == int(first["registry_version"]) + 1
    champion = document(home, "fetch", "moving@champion", "--out", tmp_path / "a")
    challenger = document(home, "fetch", "moving@challenger", "--out", tmp_path / "b")
    assert (champion["sha256"], challenger["sha256"]) == (first["sha256"], second["sha256"])
    # What else lies in its folder is no part of a bundle, and stays at home.
    assert not list(home.rglob("labels.csv"))


def test_a_bundle_that_was_changed_in_the_store_is_refused_and_leaves_nothing(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    document(home, "log", folder, "--name", "changed")
    stored = next(home.glob("retrain/mlflow-artifacts/*/artifacts/bundle/bundle.json"))
    kept = {file: file.read_bytes() for file in stored.parent.iterdir()}
    for found in home.glob("retrain/mlflow-artifacts/*/artifacts/bundle/tokenizer.json"):
        kept[found] = found.read_bytes()
        found.write_bytes(found.read_bytes() + b" ")
    result = run(home, "fetch", "changed@challenger", "--out", tmp_path / "fetched")
    for file, content in kept.items():
        file.write_bytes(content)
    assert isinstance(result.exception, RefusedBundle)
    assert [file.name for file in tmp_path.iterdir()] == ["bundle"]


def test_another_sound_bundle_in_its_place_is_refused(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    document(home, "log", folder, "--name", "replaced")
    other = keyword_bundle(tmp_path / "other", {"good": "bad", "bad": "good"}).folder
    newest = max(
        home.glob("retrain/mlflow-artifacts/*/artifacts/bundle"), key=lambda f: f.stat().st_mtime
    )
    for file in other.iterdir():
        (newest / file.name).write_bytes(file.read_bytes())
    result = run(home, "fetch", "replaced@challenger", "--out", tmp_path / "fetched")
    assert isinstance(result.exception, RefusedBundle)
    assert not (tmp_path / "fetched").exists()


def test_what_is_not_there_is_said_in_one_line(home: Path, tmp_path: Path) -> None:
    result = run(home, "fetch", "nothing@champion", "--out", tmp_path / "fetched")
    assert isinstance(result.exception, MlflowRefused)
    assert "\n" not in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["mood", "mood@", "@champion", "a@b@c", "a/b@c", "models:/a@b", "a@latest", "a@V3"]
)
def test_other_references_are_wrong_calls(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NAME@ALIAS"):
        parse_reference(text)
    assert run(tmp_path, "fetch", text, "--out", tmp_path / "x").exit_code == 2
