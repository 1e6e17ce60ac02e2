"""`murmur model train` from label files to a folder, and what it writes down on the way."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from model_server.scorer import load_scorer
from retrain.trained_model import CALIBRATION_TEXTS, read_calibration, read_trained, read_validation
from retrain.training.display import last_line
from schemas.failures import Failure
from tests.training.tiny_data import WORDS, Train, tracked_run, trained, write_labels


def weights(training_folder: Path, out: str) -> bytes:
    return (training_folder / out / "model.safetensors").read_bytes()


def test_it_learns_and_writes_a_folder_that_is_read_again(
    training_folder: Path, first: dict[str, Any]
) -> None:
    manifest = read_trained(training_folder / "first")
    assert manifest.labels == ("calm", "cross")
    assert manifest.figures["macro_recall"] > 0.9
    assert first["trained"]["figures"] == manifest.figures
    validation = read_validation(training_folder / "first")
    assert len(validation) == sum(first["data"]["validation"].values())
    calibration = {line.text for line in read_calibration(training_folder / "first")}
    assert len(calibration) == min(CALIBRATION_TEXTS, sum(first["data"]["training"].values()))
    assert not calibration & {line.text for line in validation}


@pytest.mark.usefixtures("first")
def test_people_are_told_where_the_result_lies_and_what_comes_next(training_folder: Path) -> None:
    out = training_folder / "first"
    result = trained(training_folder, "first")
    lines = result.stdout.splitlines()
    assert lines[-1] == f"in {out}; murmur model export {out} --out …"
    steps = dict(line.split() for line in lines[:-1])
    assert steps["steps"].isdigit()
    assert steps["best_step"].isdigit()
    assert "first already holds the result of this training" in " ".join(result.stderr.split())
    assert last_line(out, "tiny", Path("b")) == f"in {out}; MURMUR_MODEL=b serves the bundle"
    assert last_line(out, "all-mpnet-base-v2", None).endswith(f"--teacher {out}")


def test_one_command_leads_from_label_files_to_a_bundle_that_serves(
    training_folder: Path, train: Train
) -> None:
    bundle = training_folder / "bundle"
    tests = ("--test", str(training_folder / "test.csv"))
    naming = ("--name", "own", "--version", "7", "--licence", "CC0-1.0")
    document = train("exported", "--bundle", str(bundle), *tests, *naming)
    card = (bundle / "MODEL_CARD.md").read_text()
    assert card.startswith("# own, version 7\n")
    assert "Licence: CC0-1.0." in card
    assert set(document["exported"]["measured"]) == {"validation", "test.csv"}
    scorer = load_scorer(bundle, cache_size=0)
    assert scorer.identity.sha256 == document["exported"]["sha256"]
    assert [found.label for found in scorer.predict(["my soft tea", "a red shout"])] == [
        "calm",
        "cross",
    ]
    for taken in (bundle, training_folder / "not-begun"):
        with pytest.raises(Failure, match="another folder for the bundle"):
            train("not-begun", "--bundle", str(taken))
    assert not (training_folder / "not-begun").exists()


def test_test_files_without_our_labels_stay_out_of_the_card_alone(
    training_folder: Path, train: Train
) -> None:
    of_others = write_labels(training_folder / "others.csv", rows=60, seed=9, labels=("glad",))
    tests = training_folder / "tests"
    tests.mkdir()
    for file in (of_others, training_folder / "test.csv"):
        (tests / file.name).write_bytes(file.read_bytes())
    document = train(
        "carded", "--bundle", str(training_folder / "carded-bundle"), "--test", str(tests)
    )
    assert set(document["exported"]["measured"]) == {"validation", "test.csv"}
    card = (training_folder / "carded-bundle" / "MODEL_CARD.md").read_text()
    assert "`others.csv`" in card
    assert "`labels.csv`" in card
    assert str(training_folder) not in card
    assert card.startswith("# carded-bundle, version 1\n")
    assert "Licence: not stated." in card


def test_the_test_split_of_a_folder_is_in_the_card(training_folder: Path, train: Train) -> None:
    folder = training_folder / "folder"
    folder.mkdir()
    (folder / "mapping.txt").write_text("0\tcalm\n1\tcross\n")
    for place, (split, rows) in enumerate({"train": 900, "val": 90, "test": 40}.items()):
        source = write_labels(folder / "source.csv", rows=rows, seed=20 + place)
        columns = [line.split(",") for line in source.read_text().splitlines()[1:]]
        (folder / f"{split}_text.txt").write_text("".join(f"{row[1]}\n" for row in columns))
        numbers = (str(("calm", "cross").index(row[2])) for row in columns)
        (folder / f"{split}_labels.txt").write_text("".join(f"{number}\n" for number in numbers))
    bundle = training_folder / "folder-bundle"
    exported = train("of-folder", "--epochs", "2", "--bundle", str(bundle), labels="folder")[
        "exported"
    ]
    assert set(exported["measured"]) == {"validation", "folder/test_text.txt"}
    assert exported["not_kept_out"] == []


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    training_folder: Path, train: Train, first: dict[str, Any]
) -> None:
    again = train("again")
    assert weights(training_folder, "again") == weights(training_folder, "first")
    assert again["trained"]["figures"] == first["trained"]["figures"]
    train("other", "--seed", "2")
    assert weights(training_folder, "other") != weights(training_folder, "first")


def test_it_stops_when_the_validation_split_no_longer_gains(
    training_folder: Path, train: Train
) -> None:
    found = train("patient", "--epochs", "40", "--patience", "2", "--evaluations-per-epoch", "2")
    assert found["trained"]["figures"]["steps"] < 40 * 20 / 2
    assert found["trained"]["figures"]["best_step"] < found["trained"]["figures"]["steps"]
    assert (training_folder / "patient").is_dir()


@pytest.mark.usefixtures("first")
def test_adapters_are_merged_into_weights_that_else_stay(
    training_folder: Path, train: Train
) -> None:
    write_labels(training_folder / "again.csv", rows=700, seed=5)
    base = ("--base", str(training_folder / "first"))
    found = train("adapted", *base, "--lora", "4", labels="again.csv")
    assert found["trained"]["figures"]["macro_recall"] > 0.9
    adapted = load_file(training_folder / "adapted" / "model.safetensors")
    before = load_file(training_folder / "first" / "model.safetensors")
    assert set(adapted) == set(before)
    layer = "distilbert.transformer.layer.0."
    changed = {name for name, tensor in adapted.items() if not tensor.equal(before[name])}
    assert f"{layer}attention.q_lin.weight" in changed
    assert "classifier.weight" in changed
    assert f"{layer}attention.q_lin.bias" not in changed
    assert "distilbert.embeddings.word_embeddings.weight" not in changed


@pytest.mark.usefixtures("first")
def test_a_student_learns_from_a_teacher_what_no_label_tells_it(
    training_folder: Path, train: Train
) -> None:
    write_labels(training_folder / "more.csv", rows=900, seed=7)
    write_labels(training_folder / "few.csv", rows=60, seed=8)
    taught = (
        "--teacher",
        str(training_folder / "first"),
        "--unlabelled",
        str(training_folder / "more.csv"),
    )
    # With a few validation texts the default patience would end it before it learns.
    found = train("student", *taught, "--epochs", "4", "--patience", "0", labels="few.csv")
    alone = train("alone", labels="few.csv")
    assert found["data"]["unlabelled"] > 800
    assert found["trained"]["recipe"]["teachers"] != ""
    assert found["trained"]["data"]["unlabelled_files"] == {"more.csv": 900}
    assert found["trained"]["data"]["teachers"] == ["first"]
    client, run = tracked_run(training_folder, "student")
    noted = Path(client.download_artifacts(run.info.run_id, "data.json", str(training_folder)))
    assert "more.csv" in noted.read_text()
    recall_taught, recall_alone = (
        document["trained"]["figures"]["macro_recall"] for document in (found, alone)
    )
    assert recall_taught > max(0.9, recall_alone + 0.1)
    kept = sorted((training_folder / "home").rglob("*.npy"))
    times = [file.stat().st_mtime_ns for file in kept]
    train("second-student", *taught, "--seed", "2", labels="few.csv")
    assert [
        file.stat().st_mtime_ns for file in sorted((training_folder / "home").rglob("*.npy"))
    ] == times


def test_any_number_of_labels_is_learned(train: Train, training_folder: Path) -> None:
    write_labels(training_folder / "own.csv", rows=900, labels=("calm", "cross", "glad"))
    # Faster, the small base takes two of three labels for one, with some seeds or processors.
    gently = "--learning-rate .004 --warm-up-share .3 --batch-texts 16 --word-dropout 0".split()
    found = train("own", "--epochs", "4", *gently, labels="own.csv")
    assert found["trained"]["labels"] == ["calm", "cross", "glad"]
    assert found["trained"]["figures"]["macro_recall"] > 0.8


def test_mlflow_knows_parameters_curves_and_hash_and_no_text(
    training_folder: Path, first: dict[str, Any]
) -> None:
    home = training_folder / "home" / "retrain"
    client, run = tracked_run(training_folder, "first")
    assert run.info.status == "FINISHED"
    assert run.data.params["data_sha256"] == first["trained"]["data_sha256"]
    assert run.data.params["learning_rate"] == "0.01"
    assert run.data.params["commit"] == first["trained"]["commit"]
    curve = client.get_metric_history(run.info.run_id, "validation_macro_recall")
    steps = int(first["trained"]["figures"]["steps"])
    assert [point.step for point in curve] == list(range(5, steps + 1, 5))
    assert run.data.metrics["macro_recall"] == first["trained"]["figures"]["macro_recall"]
    artefacts = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert artefacts == {"data.json", "trained.json"}

    of_texts = {word for words in WORDS.values() for word in words} - {"red", "bad", "win"}
    written = b"".join(file.read_bytes() for file in home.glob("mlflow-artifacts/**/*.json"))
    with sqlite3.connect(home / "mlflow.db") as database:
        written += "\n".join(database.iterdump()).encode()
    database.close()
    assert b"calm" in written
    assert not [word for word in of_texts if f" {word} ".encode() in written]
