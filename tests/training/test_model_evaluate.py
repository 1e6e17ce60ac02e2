"""`murmur model evaluate` measures what serves, and compares bundles text by text."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from model_server.bundle import RefusedBundle
from retrain.cli import model
from retrain.datasets.rows import UnusableLabels
from retrain.evaluation.evaluate import DifferentLabels
from schemas.failures import Failure
from tests.keyword_bundle import keyword_bundle

GOOD = {"good": "good", "bad": "bad", "grand": "good"}
WORSE = {"bad": "bad", "good": "good"}
ROWS = [
    ("a good day", "good"),
    ("so grand", "good"),
    ("http://a.b bad @user", "bad"),
    ("bad, bad and good", "bad"),
    ("good but not", "bad"),
    ("a joke", "funny"),
    ("", "good"),
]


def run(*arguments: str | Path) -> Result:
    """Run `murmur model evaluate` in this process."""
    return CliRunner().invoke(model, ["evaluate", *map(str, arguments)])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    first = keyword_bundle(tmp_path / "first", GOOD, name="first")
    second = keyword_bundle(tmp_path / "second", WORSE, name="[bold]second")
    return first.folder, second.folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.csv"
    file.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in ROWS))
    return file


def document(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, repr(result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_figures_are_of_every_good_row_and_the_others_are_counted(
    folders: tuple[Path, Path], labels: Path
) -> None:
    found = document(folders[0], "--labels", labels)
    assert (found["texts"], found["labels"]) == (5, ["good", "bad"])
    assert found["faults"] == {"empty text": 1, "unknown label": 1}
    (bundle,) = found["bundles"]
    assert bundle["confusion"] == [[2, 0], [1, 2]]
    assert bundle["figures"]["accuracy"]["value"] == 0.8
    assert bundle["figures"]["macro_recall"]["value"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-6)
    bad = bundle["classes"][1]
    assert (bad["label"], bad["support"], bad["chosen"]) == ("bad", 3, 2)
    assert bad["precision"]["value"] == 1.0
    assert sum(found["texts"] for found in bundle["bins"]) == 5
    assert found["differences"] == []


def test_bundles_are_compared_with_the_first_whatever_the_order_of_their_labels(
    folders: tuple[Path, Path], labels: Path
) -> None:
    found = document(*folders, "--labels", labels)
    first, second = found["bundles"]
    # "so grand" is unknown to the second, which then says its first label.
    assert (first["confusion"], second["confusion"]) == ([[2, 0], [1, 2]], [[1, 1], [1, 2]])
    (difference,) = found["differences"]
    assert (difference["name"], difference["against"]) == ("[bold]second 1", "first 1")
    assert difference["figures"]["accuracy"]["value"] == pytest.approx(-0.2)
    assert difference["share_better"]["accuracy"] < 0.5


def test_the_texts_of_several_files_are_measured_together(
    folders: tuple[Path, Path], labels: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more.csv"
    more.write_text("text,label\na grand thing,bad\n")
    for named in (("--labels", labels, more), ("--labels", labels, "--labels", more)):
        found = document(folders[0], *named)
        assert (found["texts"], found["faults"]) == (6, {"empty text": 1, "unknown label": 1})
        assert found["bundles"][0]["confusion"] == [[2, 0], [2, 2]]
        assert found["labels_file"] == f"{labels}, {more}"
    result = run("--labels", labels, folders[0])
    assert result.exit_code == 2
    assert "Write it before options that take several files" in result.stderr


def test_people_see_tables_and_a_page(
    folders: tuple[Path, Path], labels: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    result = run(*folders, "--labels", labels, "--report", page)
    assert result.exit_code == 0
    assert "macro-recall" in result.stdout
    assert "[bold]second" in result.stdout
    assert page.read_text().count("<svg") == 6


def test_bundles_of_other_labels_are_not_compared(
    folders: tuple[Path, Path], labels: Path, tmp_path: Path
) -> None:
    other = keyword_bundle(tmp_path / "other", {"x": "yes", "y": "no"})
    result = run(folders[0], other.folder, "--labels", labels)
    assert isinstance(result.exception, DifferentLabels)


def test_labels_that_the_bundle_does_not_know_are_nothing_to_measure(
    labels: Path, tmp_path: Path
) -> None:
    other = keyword_bundle(tmp_path / "other", {"x": "yes", "y": "no"})
    result = run(other.folder, "--labels", labels)
    assert isinstance(result.exception, UnusableLabels)
    assert "unknown label" in str(result.exception)


def test_a_damaged_bundle_is_not_measured(folders: tuple[Path, Path], labels: Path) -> None:
    with (folders[0] / "model.onnx").open("ab") as file:
        file.write(b"\0")
    assert isinstance(run(folders[0], "--labels", labels).exception, RefusedBundle)


def test_without_the_libraries_of_training_it_says_how_they_are_installed(
    folders: tuple[Path, Path], labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrain.training_libraries.find_spec", lambda _: None)
    failure = run(folders[0], "--labels", labels).exception
    assert isinstance(failure, Failure)
    assert "make .venv/retrain.stamp" in str(failure)
