"""A trained model becomes a bundle that serves, or nothing at all."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from model_server.bundle import MODEL, REFERENCE, open_bundle, sha256_of
from model_server.onnx_engine import OnnxEngine
from model_server.scorer import load_scorer
from retrain.base_models.loading import load_base
from retrain.cli import model
from retrain.drift.first_reference import read_validation_counts
from retrain.export.onnx_model import load_torch
from retrain.export.quality_gate import ExportRefused
from retrain.export.self_test_texts import SELF_TEST_TEXTS
from retrain.trained_model import TrainedRefused, read_validation
from retrain.training.batches import encode
from retrain.training.hardware import choose_hardware
from retrain.training.inference import logits_of
from schemas.failures import Failure
from tests.keyword_bundle import keyword_bundle
from tests.training.tiny_trained import TELLING, texts_of, tiny_trained

pytestmark = pytest.mark.timeout(240)


def run(*arguments: str | Path) -> Result:
    """Run `murmur model` in this process."""
    return CliRunner().invoke(model, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def label_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    for name, seed in (("test.tsv", 3), ("seen.tsv", 1)):
        rows = [f"7\t{label}\t{text}\n" for text, label in texts_of(60, seed)]
        (folder / name).write_text("".join(rows))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, label_folder: Path) -> Path:
    kept_out = sha256_of(label_folder / "test.tsv")
    return tiny_trained(tmp_path_factory.mktemp("trained") / "tiny", test_sha256=[kept_out])


@pytest.fixture(scope="module")
def exported(trained: Path, label_folder: Path) -> tuple[Path, Any]:
    """A bundle, and what the command said of it."""
    folder = label_folder
    labels, seen = folder / "test.tsv", folder / "seen.tsv"
    result = run(
        "export",
        trained,
        "--out",
        folder / "tiny",
        "--any-cost",
        "--test",
        labels,
        seen,
        "--json",
        "--version",
        "2024-01 | *new*",
        "--licence",
        "Apache-2.0",
    )
    assert result.exit_code == 0, result.output + repr(result.exception)
    return folder / "tiny", json.loads(result.stdout)


def test_a_bundle_is_a_base_that_answers_as_the_bundle_does(
    exported: tuple[Path, dict[str, Any]], trained: Path, tmp_path: Path
) -> None:
    folder, _ = exported
    nodes = onnx.load(str(folder / MODEL)).graph.node
    assert any(node.name.endswith("_apart") for node in nodes)
    texts = [row.text for row in read_validation(trained)]
    base = load_base(str(folder), list(TELLING), max_tokens=32, cache=tmp_path)
    hardware = choose_hardware("fp32", 1)
    numbers = logits_of(base.model, encode(base.tokenizer, texts), hardware).argmax(axis=1)
    found = [list(TELLING)[number] for number in numbers]
    served = [prediction.label for prediction in load_scorer(folder, cache_size=0).predict(texts)]
    same = sum(map(str.__eq__, found, served))
    assert same >= 0.98 * len(texts)


def test_a_bundle_tells_nothing_of_the_machine_that_made_it(
    exported: tuple[Path, dict[str, Any]], trained: Path
) -> None:
    places = [str(trained.parent), sys.prefix, str(Path(__file__).parents[2])]
    for file in exported[0].iterdir():
        content = file.read_bytes()
        assert not [place for place in places if place.encode() in content]


def test_a_bundle_is_a_base_for_other_labels(
    exported: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, _ = exported
    base = load_base(str(folder), list("abcde"), max_tokens=32, cache=tmp_path)
    assert base.model.config.id2label == dict(enumerate("abcde"))
    assert base.model.classifier.weight.shape == (5, 64)


def test_a_bundle_of_another_make_is_no_base(tmp_path: Path) -> None:
    folder = keyword_bundle(tmp_path / "keywords", {"good": "a", "bad": "b"}).folder
    with pytest.raises(Failure, match="murmur model export"):
        load_base(str(folder), list("ab"), max_tokens=32, cache=tmp_path)


def test_the_bundle_serves_what_was_trained(
    trained: Path, exported: tuple[Path, dict[str, Any]]
) -> None:
    folder, document = exported
    scorer = load_scorer(folder, cache_size=0)
    assert scorer.labels == tuple(TELLING)
    assert scorer.identity.sha256 == document["sha256"]
    rows = read_validation(trained)
    found = [prediction.label for prediction in scorer.predict([row.text for row in rows])]
    right = np.mean([label == row.label for label, row in zip(found, rows, strict=True)])
    assert right > 0.8
    assert document["measured"]["validation"]["accuracy"]["value"] == pytest.approx(right)
    assert [case.text for case in open_bundle(folder).manifest.self_test] == list(SELF_TEST_TEXTS)


def test_the_gate_was_told_what_is_so(exported: tuple[Path, dict[str, Any]]) -> None:
    gate = exported[1]["gate"]
    assert 0 <= gate["logit_difference"] < 1e-4
    assert gate["same_labels"] >= 0.97
    assert (gate["texts_by_batch"], gate["labels_by_batch"]) == (400, 0)
    assert gate["cost"] is None


def test_a_text_gets_the_same_probabilities_whatever_its_neighbours(
    trained: Path, exported: tuple[Path, dict[str, Any]]
) -> None:
    engine = OnnxEngine(open_bundle(exported[0]))
    texts = [row.text for row in read_validation(trained)[:100]]
    alone = np.concatenate([engine.probabilities([text]) for text in texts])
    assert np.array_equal(engine.probabilities(texts), alone)


def test_confidence_is_calibrated_on_the_validation_split(
    trained: Path, exported: tuple[Path, dict[str, Any]]
) -> None:
    bundle, calibration = open_bundle(exported[0]), exported[1]["calibration"]
    own = np.array([list(of_label.values()) for of_label in calibration.values()]).T
    assert np.array_equal(own, [bundle.manifest.temperature, bundle.manifest.lead_power])
    rows = read_validation(trained)
    truth = np.array([bundle.manifest.labels.index(row.label) for row in rows])

    def surprise(figures: np.ndarray) -> float:
        manifest = structs.replace(bundle.manifest, temperature=figures[0], lead_power=figures[1])
        engine = OnnxEngine(structs.replace(bundle, manifest=manifest))
        found = engine.probabilities([row.text for row in rows])
        told = np.where(found.argmax(axis=1) == truth, found.max(axis=1), 1 - found.max(axis=1))
        return float(-np.log(told).mean())

    steps = np.array([[[1.1], [1]], [[1], [2]]])
    assert surprise(own) <= min(map(surprise, (np.ones_like(own), *(own * steps), *(own / steps))))


def test_the_card_says_figures_with_intervals_and_no_text_of_the_data(
    trained: Path, exported: tuple[Path, dict[str, Any]]
) -> None:
    card = (exported[0] / "MODEL_CARD.md").read_text()
    recall = exported[1]["measured"]["test.tsv"]["macro_recall"]
    assert recall["low"] <= recall["value"] <= recall["high"]
    assert "test.tsv, 60 texts" in card
    assert "validation, 400 texts *" in card
    assert "version 2024-01 \\| \\*new\\*" in card
    assert "Licence: Apache-2.0" in card
    for file in exported[0].iterdir():
        content = file.read_bytes()
        assert not [r for r in read_validation(trained) if r.text.encode() in content]


def test_figures_of_texts_that_may_have_been_learned_are_marked(
    exported: tuple[Path, dict[str, Any]],
) -> None:
    folder, document = exported
    card = (folder / "MODEL_CARD.md").read_text()
    assert "seen.tsv, 60 texts †" in card
    assert "test.tsv, 60 texts †" not in card
    assert card.count("it may know these texts") == 1
    assert document["not_kept_out"] == ["seen.tsv"]


def test_the_card_says_how_good_each_label_is(exported: tuple[Path, dict[str, Any]]) -> None:
    card = (exported[0] / "MODEL_CARD.md").read_text()
    table = card.split("| test.tsv, 60 texts | texts | precision | recall | F1 |")[1]
    rows = [line.strip("| ").split(" | ") for line in table.split("\n\n")[0].splitlines()[2:]]
    assert [row[0] for row in rows] == [
        f"`{label}`" for label in open_bundle(exported[0]).manifest.labels
    ]
    assert sum(int(row[1]) for row in rows) == 60
    recalls = [float(row[3].split()[0]) for row in rows]
    found = exported[1]["measured"]["test.tsv"]["macro_recall"]["value"]
    assert sum(recalls) / len(recalls) == pytest.approx(found, abs=1e-4)


def test_it_brings_sums_over_its_validation_texts_that_its_manifest_vouches_for(
    exported: tuple[Path, dict[str, Any]], trained: Path
) -> None:
    bundle = open_bundle(exported[0])
    texts = [row.text for row in read_validation(trained)]
    answers = OnnxEngine(bundle).probabilities(texts)
    found = read_validation_counts(bundle)
    assert REFERENCE in bundle.manifest.files
    assert found is not None
    assert found.judged == len(texts)
    assert found.confidence_micros == pytest.approx(answers.max(axis=1).sum() * 1e6, rel=1e-6)
    assert found.piece_words > len(texts)


def test_only_the_bundle_is_left(exported: tuple[Path, dict[str, Any]]) -> None:
    folder = exported[0]
    assert sorted(file.name for file in folder.iterdir()) == [
        "MODEL_CARD.md",
        "bundle.json",
        "model.onnx",
        "reference.json",
        "tokenizer.json",
    ]
    assert sorted(file.name for file in folder.parent.iterdir()) == ["seen.tsv", "test.tsv", "tiny"]


def test_what_costs_more_than_the_last_bundle_is_refused_and_leaves_nothing(
    trained: Path, tmp_path: Path
) -> None:
    cheap = keyword_bundle(tmp_path / "cheap", {"good": "good", "bad": "bad"})
    result = run("export", trained, "--out", tmp_path / "bundle", "--against", cheap.folder)
    assert isinstance(result.exception, ExportRefused)
    assert "µs of CPU, keywords 1" in str(result.exception)
    assert [file.name for file in tmp_path.iterdir()] == ["cheap"]


def test_a_taken_place_is_left_as_it_is(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    result = run("export", trained, "--out", tmp_path / "bundle", "--any-cost")
    assert isinstance(result.exception, Failure)
    assert "already exists" in str(result.exception)
    assert list((tmp_path / "bundle").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "calibration.txt.jsonl"]
)
def test_an_incomplete_model_is_refused_in_one_line(
    trained: Path, tmp_path: Path, name: str
) -> None:
    broken = Path(shutil.copytree(trained, tmp_path / "broken"))
    (broken / name).unlink()
    result = run("export", broken, "--out", tmp_path / "bundle", "--any-cost")
    assert isinstance(result.exception, TrainedRefused)
    assert not (tmp_path / "bundle").exists()


def test_another_architecture_is_refused(trained: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(trained, tmp_path / "other"))
    config = json.loads((other / "config.json").read_bytes())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "mpnet"}))
    with pytest.raises(TrainedRefused, match="only a DistilBERT"):
        load_torch(other)


def test_the_graph_holds_its_weights_in_eight_bits(exported: tuple[Path, dict[str, Any]]) -> None:
    graph = onnx.load(str(exported[0] / MODEL)).graph
    weights = [t for t in graph.initializer if len(t.dims) == 2 and "position" not in t.name]
    products = [table for table in weights if table.dims[1] > 1 and "_apart" not in table.name]
    assert len(products) == 1 + 2 * 6 + 2
    assert {table.data_type for table in products} == {onnx.TensorProto.INT8}
