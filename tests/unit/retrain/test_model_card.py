"""What a model card says of where a model comes from."""

from io import StringIO
from typing import Any

import msgspec
from rich.console import Console

from retrain.export.calibrating import Calibration
from retrain.export.display import exported_view
from retrain.export.model_card import Measured, model_card
from retrain.export.quality_gate import GateFigures
from retrain.export.result import Exported
from retrain.trained_model import LearnedFrom, Trained

DATA = LearnedFrom(
    files={"own.csv": 120},
    test_files=("test.csv",),
    training={"calm": 60, "cross": 40},
    validation={"calm": 6, "cross": 4},
    unlabelled=2_000,
    unlabelled_files={"emoji/train_text.txt": 2_100},
    teachers=("large",),
    kept_out_sha256="0" * 64,
)
GATE = GateFigures(
    texts=10,
    logit_difference=0.0,
    macro_recall_fp32=0.7,
    macro_recall_int8=0.7,
    same_labels=1.0,
    recall_of_a_text=0.1,
    texts_by_batch=10,
    labels_by_batch=0,
    size_bytes=1,
    cost=None,
)

UNCALIBRATED = Calibration()
VALIDATION = Measured(texts_of="validation", texts=10, figures={}, classes=(), chosen_on=True)


def card(**of_data: Any) -> str:
    trained = Trained(
        labels=("calm", "cross"),
        cleaning="1",
        languages=("en",),
        max_tokens=96,
        class_biases=(0.1, -0.1),
        seed=1,
        recipe={"epochs": 1},
        base="tiny",
        data_sha256="0" * 64,
        data=msgspec.structs.replace(DATA, **of_data),
        commit="unknown",
        figures={},
        wall_s=1.5,
    )
    return model_card(
        trained,
        name="own",
        version="1",
        licence="MIT",
        calibration=(UNCALIBRATED, UNCALIBRATED),
        measured=[VALIDATION],
        gate=GATE,
    )


def test_labelled_and_unlabelled_texts_are_each_of_their_own_files() -> None:
    (said,) = [line for line in card().splitlines() if "Training data" in line]
    parts = said.split("; ")
    assert "100 texts (`calm` 60, `cross` 40), of `own.csv`" in parts[0]
    assert parts[1] == "2,000 texts without labels, of `emoji/train_text.txt`"
    assert "`large`" in parts[2]
    assert "`test.csv`" in parts[3]


def test_it_says_that_shares_are_not_those_of_people_and_what_to_do() -> None:
    assert "are not the shares that people would count" in card()
    assert "`murmur decisions fit`" in card()


def test_teachers_that_may_know_test_texts_are_named() -> None:
    assert "may know" not in card()
    assert "but `large` may know some of these" in card(doubted=("large",))


def test_nothing_is_said_of_texts_and_teachers_that_were_not_there() -> None:
    said = card(unlabelled=0, unlabelled_files={}, teachers=())
    assert "without labels" not in said
    assert "the answers of" not in said


def test_a_model_of_an_older_training_names_no_wrong_files() -> None:
    older = msgspec.to_builtins(DATA)
    del older["unlabelled_files"], older["teachers"]
    said = card(**msgspec.structs.asdict(msgspec.convert(older, LearnedFrom)))
    assert "2,000 texts without labels, of files whose names were not written down" in said


def test_people_see_which_figures_are_of_texts_that_may_have_been_learned() -> None:
    exported = Exported(
        folder="own",
        name="own",
        version="1",
        sha256="0" * 64,
        gate=GATE,
        calibration={"calm": UNCALIBRATED, "cross": UNCALIBRATED},
        measured={"test.tsv": {}, "seen.tsv": {}},
        not_kept_out=("seen.tsv",),
    )
    console = Console(file=StringIO(), width=120)
    with console.capture() as captured:
        console.print(exported_view(exported))
    lines = captured.get().splitlines()
    assert "seen.tsv †" in map(str.strip, lines)
    assert "test.tsv" in map(str.strip, lines)
    assert "it may know these texts" in lines[-1]
