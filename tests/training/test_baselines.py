"""`murmur model baselines`: simple models on the same labels, in the same experiment."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.cli import murmur
from model_server.bundle import default_bundle, open_bundle
from model_server.cleaning import CLEANING
from retrain.tracking import open_client
from schemas.failures import Failure
from tests.training.tiny_data import write_labels

THREE = ("negative", "neutral", "positive")
MEANT = {"calm": "neutral", "cross": "negative", "glad": "positive"}
NAMES = {"naive Bayes", "logistic regression", "linear SVM", "random forest"}


def label_file(file: Path, seed: int, rows: int) -> Path:
    """Write texts of three labels by the names that the default bundle has for them."""
    content = write_labels(file, rows=rows, seed=seed, labels=tuple(MEANT)).read_text()
    for ours, its in MEANT.items():
        content = content.replace(f",{ours}\n", f",{its}\n")
    file.write_text(content)
    return file


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("baselines")
    return label_file(folder / "labels.csv", 1, 600), label_file(folder / "test.csv", 2, 200)


def baselines(home: Path, labels: Path, test: Path, *more: str) -> Result:
    command = ["model", "baselines", "--labels", str(labels), "--test", str(test), *more]
    return CliRunner(env={"MURMUR_HOME": str(home)}).invoke(murmur, command)


def cleaning_of_the_default() -> str:
    return open_bundle(default_bundle()).manifest.cleaning


def test_four_baselines_and_the_bundle_stand_in_one_table_and_one_experiment(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    result = baselines(tmp_path, *files, "--json", "--cleaning", cleaning_of_the_default())
    assert result.exception is None, result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    measured = {one["name"]: one for one in document["baselines"]}
    assert set(measured) > NAMES
    assert len(measured) == len(NAMES) + 1
    for name in NAMES:
        assert measured[name]["test"]["macro_recall"] > 0.9
        assert 0 < measured[name]["validation"]["macro_f1"] <= 1

    client = open_client(tmp_path / "retrain")
    experiment = client.get_experiment_by_name("murmur")
    runs = client.search_runs([experiment.experiment_id])
    found = {run.info.run_name: run.data.metrics["test_macro_recall"] for run in runs}
    assert found == {name: one["test"]["macro_recall"] for name, one in measured.items()}


def test_people_get_a_table(files: tuple[Path, Path], tmp_path: Path) -> None:
    result = baselines(tmp_path, *files, "--no-bundle")
    assert result.exception is None, result.exception
    assert all(name in result.stdout for name in NAMES)
    assert "macro-recall" in result.stdout


def test_a_bundle_of_other_labels_is_not_compared(tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "labels.csv", rows=300)
    test = write_labels(tmp_path / "test.csv", rows=60, seed=2)
    refused = baselines(tmp_path, labels, test, "--cleaning", cleaning_of_the_default())
    assert isinstance(refused.exception, Failure)
    assert "the files have calm, cross" in str(refused.exception)
    assert "--no-bundle" in str(refused.exception)


def test_a_bundle_of_another_cleaning_is_not_compared(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    ours = cleaning_of_the_default()
    (other,) = set(CLEANING) - {ours}
    refused = baselines(tmp_path, *files, "--cleaning", other)
    assert isinstance(refused.exception, Failure)
    assert f"--cleaning {ours}" in str(refused.exception)


def test_texts_without_spaces_are_measured_too(tmp_path: Path) -> None:
    draw = random.Random(1)
    characters = [chr(0x4E00 + place) for place in range(600)]
    for file, rows in (("labels.csv", 200), ("test.csv", 60)):
        lines = ["text,label"]
        for row in range(rows):
            text = draw.choices(characters, k=20)
            text.insert(draw.randrange(20), "好坏"[row % 2])
            lines.append(f"{''.join(text)},{('calm', 'cross')[row % 2]}")
        (tmp_path / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = (tmp_path / "labels.csv", tmp_path / "test.csv")
    result = baselines(tmp_path, *files, "--no-bundle", "--json")
    assert result.exception is None, result.exception
    assert {one["name"] for one in json.loads(result.stdout)["baselines"]} == NAMES
