"""`murmur model train --refit`: the validation texts are learned too, and judge no longer."""

import math
from pathlib import Path
from typing import Any

import pytest

from model_server.bundle import open_bundle, sha256_of
from retrain.labelled.preparing import Sources, prepare
from retrain.trained import TrainedRefused, read_trained
from retrain.training.data_facts import doubts
from retrain.training.lessons import Lessons
from schemas.failures import Failure
from tests.training import Train


@pytest.mark.usefixtures("first")
def test_what_was_found_without_the_validation_texts_stays(
    training_folder: Path, train: Train
) -> None:
    bundle = training_folder / "refitted-bundle"
    refit = ("--refit", str(training_folder / "first"))
    found: dict[str, Any] = train("refitted", *refit, "--bundle", str(bundle))
    before, after = (read_trained(training_folder / name) for name in ("first", "refitted"))
    assert before.refit_of is None
    assert after.refit_of == sha256_of(training_folder / "first" / "model.safetensors")
    assert after.class_biases == before.class_biases
    assert after.figures["macro_recall"] == before.figures["macro_recall"]
    texts = sum(found["data"]["training"].values()) + sum(found["data"]["validation"].values())
    assert after.figures["steps"] == after.figures["best_step"] == 2 * math.ceil(texts / 32)
    assert after.temperature is not None
    assert found["exported"]["temperature"] == after.temperature
    card = (bundle / "MODEL_CARD.md").read_text()
    assert "In the end these were learned too, so their figures flatter" in card
    recall = before.figures["macro_recall_with_biases"]
    assert f"reached macro-recall {recall:.4f} on them" in card
    assert open_bundle(bundle).manifest.temperature == after.temperature

    # A finished one is not repeated, and can be no one's measure.
    assert train("refitted", *refit)["trained"] == found["trained"]
    with pytest.raises(TrainedRefused, match="has learned its validation texts already"):
        train("again", "--refit", str(training_folder / "refitted"))
    labels = [training_folder / "labels.csv"]
    (doubt,) = doubts([training_folder / "refitted"], prepare(Sources(labels=labels)))
    assert "may flatter" in doubt


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("option", "value", "named"),
    [("--epochs", "3", "recipe"), ("--seed", "2", "seed"), ("--test", "test.csv", "kept out")],
)
def test_only_the_same_training_is_repeated(
    training_folder: Path, train: Train, option: str, value: str, named: str
) -> None:
    value = str(training_folder / value) if option == "--test" else value
    with pytest.raises(Failure, match=f"is another training: .*{named}.* differ"):
        train("other", "--refit", str(training_folder / "first"), option, value)
    assert not (training_folder / "other").exists()


def test_texts_before_those_of_validation_are_in_the_order_they_had(training_folder: Path) -> None:
    prepared = prepare(
        Sources(labels=[training_folder / "labels.csv"], unlabelled=[training_folder / "test.csv"])
    )
    taught = Lessons.of(prepared, has_teachers=True, is_refit=False)
    refit = Lessons.of(prepared, has_teachers=True, is_refit=True)
    alone = Lessons.of(prepared, has_teachers=False, is_refit=True)
    assert [*refit.texts[: len(taught.texts)]] == [*taught.texts]
    validation = [example.text for example in prepared.validation]
    assert [*refit.texts[len(taught.texts) :]] == validation
    assert not {*alone.texts} & {*prepared.unlabelled}
    assert len(refit.labels) == len(refit.texts)
    names = [prepared.labels[number] for number in refit.labels[-len(validation) :]]
    assert names == [example.label for example in prepared.validation]
