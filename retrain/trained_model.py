"""A trained model as one folder: what training hands to evaluation and export."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct
from tokenizers import Tokenizer

from model_server.bundle import TOKENIZER
from model_server.cleaning import CLEANING
from schemas.atomic_folder import put_in_place
from schemas.failures import Failure
from schemas.private_files import create_private

MANIFEST: Final = "trained.json"
PRETRAINED: Final = "pretrained.json"
CALIBRATION: Final = "calibration.txt.jsonl"
VALIDATION: Final = "validation.jsonl"
CALIBRATION_TEXTS: Final = 1024
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class TrainedRefused(Failure):
    """A folder that holds no whole trained model, or one that cannot be used here."""


class LearnedFrom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data of a training: names of files with their usable rows, texts of each label.

    `unlabelled_files` are those of the `unlabelled` texts, empty where an older training did not
    name them; `teachers` the folders' names of the models that answered for all texts.
    `test_sha256` are those of the test files, `kept_out_sha256` that of the test and validation
    texts from which nothing was learned. `doubted` are the folders' names of teachers and a base
    that may have learned from some of them.
    """

    files: dict[str, int]
    test_files: tuple[str, ...]
    test_sha256: tuple[str, ...] = ()
    training: dict[str, int]
    validation: dict[str, int]
    unlabelled: int
    unlabelled_files: dict[str, int] = {}
    teachers: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    kept_out_sha256: str


class Trained(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`trained.json`. Logits, biases and `id2label` of `config.json` follow `labels`.

    `class_biases` are to be added to the logits; they were found on the validation split, and are
    zeros where none were fitted. `figures` were measured on the validation split. `base_sha256` is
    that of the base's weights where the base is a folder.
    """

    labels: Annotated[tuple[Name, ...], Meta(min_length=2, max_length=50)]
    cleaning: str
    languages: tuple[str, ...]
    max_tokens: Annotated[int, Meta(ge=8, le=512)]
    class_biases: tuple[float, ...]
    seed: int
    recipe: dict[str, str | int | float | bool]
    base: str
    base_sha256: str | None = None
    data_sha256: str
    data: LearnedFrom | None = None
    commit: str
    figures: dict[str, float]
    wall_s: float


class CalibrationText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cleaned text of the training split: for quantisation; it never goes into a bundle."""

    text: str


class ValidationText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cleaned text of the validation split, with its label; it never goes into a bundle."""

    id: str | None
    text: str
    label: str


def write_trained(
    folder: Path,
    trained: Trained,
    *,
    save_weights: Callable[[Path], object],
    tokenizer: Tokenizer,
    calibration: Sequence[CalibrationText],
    validation: Sequence[ValidationText],
) -> None:
    """Write the folder whole or not at all: beside its place, then by a rename.

    `save_weights` writes `model.safetensors` and `config.json` into the folder that it is given.
    """
    if folder.exists():
        raise TrainedRefused(f"{folder} already exists: name another folder or remove it")
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_weights(unfinished)
    tokenizer.save(str(unfinished / TOKENIZER))
    _write_lines(unfinished / CALIBRATION, calibration[:CALIBRATION_TEXTS])
    _write_lines(unfinished / VALIDATION, validation)
    manifest = msgspec.json.format(msgspec.json.encode(trained), indent=1)
    (unfinished / MANIFEST).write_bytes(manifest + b"\n")
    put_in_place(unfinished, folder)


def read_trained(folder: Path) -> Trained:
    """Read and check `trained.json`; raise `TrainedRefused` where it cannot be used."""
    try:
        trained = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Trained)
    except OSError as error:
        raise TrainedRefused(
            f"{folder} is not a trained model: {error.strerror}: {MANIFEST}"
        ) from error
    except msgspec.DecodeError as error:
        raise TrainedRefused(f"{folder}/{MANIFEST} cannot be read: {error}") from error
    if trained.cleaning not in CLEANING:
        raise TrainedRefused(
            f"{folder} needs cleaning version {trained.cleaning!r}, which is unknown"
        )
    if len(set(trained.labels)) != len(trained.labels):
        raise TrainedRefused(f"{folder} names a label twice")
    if len(trained.class_biases) != len(trained.labels):
        raise TrainedRefused(f"{folder} does not have one class bias for each label")
    return trained


def read_calibration(folder: Path) -> list[CalibrationText]:
    """Return the calibration texts of a trained model."""
    return _read_lines(folder / CALIBRATION, CalibrationText)


def read_validation(folder: Path) -> list[ValidationText]:
    """Return the validation split of a trained model."""
    return _read_lines(folder / VALIDATION, ValidationText)


_Line = TypeVar("_Line", bound=Struct)


def _write_lines(file: Path, lines: Iterable[Struct]) -> None:
    with create_private(file) as opened:
        opened.writelines(msgspec.json.encode(line) + b"\n" for line in lines)


def _read_lines(file: Path, of_type: type[_Line]) -> list[_Line]:
    try:
        lines = file.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=of_type) for line in lines]
    except OSError as error:
        raise TrainedRefused(f"{file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise TrainedRefused(f"{file} cannot be read: {error}") from error
