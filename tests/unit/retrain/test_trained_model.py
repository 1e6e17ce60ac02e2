"""A trained model's folder: whole or not there, and read only if it is understood."""

import stat
from pathlib import Path

import msgspec
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from retrain.trained_model import (
    CALIBRATION,
    VALIDATION,
    CalibrationText,
    Trained,
    TrainedRefused,
    ValidationText,
    read_calibration,
    read_trained,
    read_validation,
    write_trained,
)

TRAINED = Trained(
    labels=("calm", "cross"),
    cleaning="1",
    languages=("en",),
    max_tokens=96,
    class_biases=(0.1, -0.1),
    seed=1,
    recipe={"epochs": 1},
    base="tiny",
    data_sha256="0" * 64,
    commit="unknown",
    figures={"macro_recall": 0.5},
    wall_s=1.5,
)
# NEL and the line separator are no ends of lines in JSON lines.
TEXTS = ["one\x85line", "another\u2028line", "third"]


def save_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weights")


def write(folder: Path, trained: Trained = TRAINED) -> Path:
    write_trained(
        folder,
        trained,
        save_weights=save_weights,
        tokenizer=Tokenizer(WordLevel({"a": 0}, unk_token="a")),
        calibration=[CalibrationText(text=text) for text in TEXTS],
        validation=[ValidationText(id=None, text=text, label="calm") for text in TEXTS],
    )
    return folder


def test_the_texts_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    for file in (folder / CALIBRATION, folder / VALIDATION):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_written_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    assert read_trained(folder) == TRAINED
    assert [line.text for line in read_calibration(folder)] == TEXTS
    assert [line.text for line in read_validation(folder)] == TEXTS
    assert list(tmp_path.iterdir()) == [folder]


def test_nothing_stands_there_when_writing_fails(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        save_weights(folder)
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_trained(
            tmp_path / "model",
            TRAINED,
            save_weights=fail,
            tokenizer=Tokenizer(WordLevel({"a": 0}, unk_token="a")),
            calibration=[],
            validation=[],
        )
    assert not (tmp_path / "model").exists()
    assert read_trained(write(tmp_path / "model")) == TRAINED


def test_a_model_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(TrainedRefused, match="already exists"):
        write(write(tmp_path / "model"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": ("calm", "calm")}, "names a label twice"),
        ({"class_biases": (0.0,)}, "does not have one class bias for each label"),
        ({"cleaning": "0"}, "cleaning version '0', which is unknown"),
        ({"max_tokens": 4}, "cannot be read"),
        ({"labels": ("calm",)}, "cannot be read"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    folder = write(tmp_path / "model", msgspec.structs.replace(TRAINED, **changed))
    with pytest.raises(TrainedRefused, match=said):
        read_trained(folder)


def test_a_folder_without_a_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(TrainedRefused, match="is not a trained model"):
        read_trained(tmp_path)
