"""What `murmur model train` refuses, and that it then leaves everything as it was."""

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from retrain.datasets.prepare_dataset import Sources, prepare
from retrain.trained_model import read_trained
from retrain.training.data_provenance import doubted
from retrain.training.progress_display import Display
from schemas.failures import Failure
from tests.training.tiny_data import Train, tiny_base, tracked_run, write_labels


@pytest.mark.usefixtures("first")
def test_a_finished_training_is_not_repeated_and_another_one_takes_not_its_place(
    training_folder: Path, train: Train
) -> None:
    before = (training_folder / "first" / "trained.json").stat().st_mtime_ns
    assert train("first")["trained"]["figures"]["steps"] > 0
    assert (training_folder / "first" / "trained.json").stat().st_mtime_ns == before
    with pytest.raises(Failure, match="holds something else"):
        train("first", "--epochs", "3")
    assert not list(training_folder.glob("first.*"))
    # Nothing near these texts is in the data; still the first one's card could not say so.
    with pytest.raises(Failure, match="holds something else"):
        train("first", "--test", str(training_folder / "test.csv"))


def test_a_training_that_loses_its_way_says_so_and_leaves_no_model(
    training_folder: Path, train: Train
) -> None:
    base = tiny_base(training_folder / "lost-base")
    weights = load_file(base / "model.safetensors")
    weights["distilbert.embeddings.LayerNorm.weight"][0] = float("nan")
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Failure, match="the loss of step 1 is nan: lower --learning-rate"):
        train("lost", "--base", str(base))
    assert not (training_folder / "lost").exists()


def test_another_training_changes_nothing_of_what_is_written_of_an_unfinished_one(
    training_folder: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Display, "evaluated", killed)
        with pytest.raises(SystemExit):
            train("unfinished", "--checkpoint-s", "0")
    client, run = tracked_run(training_folder, "unfinished")
    write_labels(training_folder / "different.csv", rows=500, seed=4)
    with pytest.raises(Failure, match="another recipe, seed, base or data"):
        train("unfinished", labels="different.csv")
    said = client.list_artifacts(run.info.run_id)
    assert [file.path for file in said] == ["data.json"]
    (document,) = (training_folder / "home").rglob(f"{run.info.run_id}/artifacts/data.json")
    assert "different.csv" not in document.read_text()
    train("unfinished")
    assert tracked_run(training_folder, "unfinished")[1].info.run_id == run.info.run_id


def test_a_base_whose_description_is_damaged_is_named_before_anything_else(
    training_folder: Path, train: Train
) -> None:
    base = tiny_base(training_folder / "damaged")
    (base / "config.json").write_text("{")
    with pytest.raises(Failure, match="does not describe a model"):
        train("large", "--base", str(base), "--bundle", str(training_folder / "large-bundle"))


def test_a_base_that_can_be_no_bundle_is_refused_before_it_is_trained(
    training_folder: Path, train: Train
) -> None:
    with pytest.raises(Failure, match="only a DistilBERT becomes a bundle"):
        train(
            "large",
            "--base",
            "all-mpnet-base-v2",
            "--bundle",
            str(training_folder / "large-bundle"),
        )


@pytest.mark.usefixtures("first")
def test_layers_of_a_base_that_keeps_its_own_are_refused_before_it_is_fetched(
    training_folder: Path, train: Train
) -> None:
    with pytest.raises(Failure, match="the layers of a mpnet cannot be changed"):
        train("layered", "--base", "all-mpnet-base-v2", "--layers", "7")
    assert not list(training_folder.glob("layered*"))


@pytest.mark.usefixtures("first")
def test_a_base_that_is_nowhere_is_said_before_the_teachers_are_asked(
    training_folder: Path, train: Train
) -> None:
    base, teacher = str(training_folder / "mistyped"), str(training_folder / "first")
    with pytest.raises(Failure, match="neither as a folder nor at the hub"):
        train("baseless", "--base", base, "--teacher", teacher)
    assert not list((training_folder / "home").rglob("teacher-logits"))


@pytest.mark.usefixtures("first")
def test_a_tracking_server_that_cannot_be_used_is_said_before_the_teachers_are_asked(
    training_folder: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "no-such-scheme://server")
    with pytest.raises(Failure, match=r"MLflow: .*no-such-scheme"):
        train("untracked", "--teacher", str(training_folder / "first"))
    assert not list((training_folder / "home").rglob("teacher-logits"))


@pytest.mark.usefixtures("first")
def test_a_teacher_that_may_know_the_test_texts_is_doubted_and_so_is_its_student(
    training_folder: Path, train: Train
) -> None:
    labels, test = [training_folder / "labels.csv"], [training_folder / "test.csv"]
    first, tiny = training_folder / "first", training_folder / "tiny"
    assert not doubted([first, tiny], prepare(Sources(labels=labels)))
    apart = prepare(Sources(labels=labels, test=test))
    assert doubted([first, tiny], apart) == (first,)
    train("student", "--teacher", str(first), "--test", str(test[0]))
    student = training_folder / "student"
    assert doubted([student], apart) == (student,)
    data = read_trained(student).data
    assert data is not None
    assert data.doubted == ("first",)


@pytest.mark.usefixtures("first")
def test_a_teacher_of_other_labels_is_refused(training_folder: Path, train: Train) -> None:
    write_labels(training_folder / "three.csv", rows=400, labels=("calm", "cross", "glad"))
    with pytest.raises(Failure, match="teaches"):
        train("refused", "--teacher", str(training_folder / "first"), labels="three.csv")


@pytest.mark.parametrize("option", ["--unlabelled", "--teacher-weight", "--teacher-temperature"])
def test_what_only_a_teacher_gives_a_meaning_is_a_wrong_call_without_one(
    training_folder: Path, train: Train, option: str
) -> None:
    value = str(training_folder / "labels.csv") if option == "--unlabelled" else "0.5"
    with pytest.raises(SystemExit) as ending:
        train("none", option, value)
    assert ending.value.code == 2


@pytest.mark.parametrize("option", ["--name", "--version", "--licence"])
def test_what_a_bundle_is_called_is_a_wrong_call_without_one(train: Train, option: str) -> None:
    with pytest.raises(SystemExit) as ending:
        train("none", option, "2")
    assert ending.value.code == 2


@pytest.mark.parametrize("option", ["--epochs", "--batch-texts", "--max-tokens"])
def test_figures_are_not_cut_in_silence_by_a_quick_training(train: Train, option: str) -> None:
    with pytest.raises(SystemExit) as ending:
        train("none", "--quick", option, "64")
    assert ending.value.code == 2
