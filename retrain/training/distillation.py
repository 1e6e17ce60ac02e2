"""What teachers say of texts: the mean of their logits, computed once and kept.

A teacher is a trained model or a bundle. A bundle answers by the engine that serves it: int8, many
times faster, and what it was trained with is not needed. Its logits are those before calibration.
They hold the class biases, which became part of its weights; a trained model's do not. The student
learns them then, and the biases that are fitted at its own end are nearer to 0.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from model_server.bundle import MODEL, Manifest, open_bundle, sha256_of
from model_server.onnx_engine import OnnxEngine
from retrain.base_models.bundles import is_bundle
from retrain.base_models.loading import load_base
from retrain.trained_model import Trained, TrainedRefused, read_trained
from retrain.training.batches import encode
from retrain.training.hardware import Hardware
from retrain.training.inference import logits_of

_CHUNK_TEXTS: Final = 2048
"""Texts whose logits are one file: what a killed process has to compute again at most."""

_ASKED_TEXTS: Final = 512
"""Texts that an engine sorts by length together, between two steps of the progress."""

_Answers: TypeAlias = Callable[[Sequence[str], Callable[[int], None]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Teacher:
    """A trained model or a bundle that answers for others to learn from."""

    folder: Path
    sha256: str
    max_tokens: int


def open_teacher(folder: Path, labels: Sequence[str], cleaning: str) -> Teacher:
    """Check that a trained model or a bundle has these labels and this cleaning.

    Raises `TrainedRefused` where it has not, `RefusedBundle` for a damaged bundle.
    """
    if is_bundle(folder):
        told: Manifest | Trained = open_bundle(folder).manifest
        weights = folder / MODEL
    else:
        told, weights = read_trained(folder), folder / "model.safetensors"
    if told.labels != tuple(labels):
        raise TrainedRefused(f"{folder} teaches {told.labels}, the texts have {tuple(labels)}")
    if told.cleaning != cleaning:
        raise TrainedRefused(f"{folder} was trained with cleaning {told.cleaning!r}")
    return Teacher(folder, sha256_of(weights), told.max_tokens)


def mean_logits(
    teachers: Sequence[Teacher],
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    hardware: Hardware,
    cache: Path,
    done: Callable[[int], None],
) -> npt.NDArray[np.float32]:
    """Return texts × labels. `done` is told how many texts a teacher has answered.

    Logits are kept under `cache` by the hash of teacher and texts: interrupted, it goes on, and
    other students and seeds find them there.
    """
    total = np.zeros((len(texts), len(labels)), dtype=np.float64)
    for teacher in teachers:
        total += _logits(teacher, texts, labels, hardware=hardware, cache=cache, done=done)
    return (total / len(teachers)).astype(np.float32)


def _logits(
    teacher: Teacher,
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    hardware: Hardware,
    cache: Path,
    done: Callable[[int], None],
) -> npt.NDArray[np.float64]:
    cache.mkdir(parents=True, exist_ok=True)
    parts: list[npt.NDArray[np.float64]] = []
    precision = "int8" if is_bundle(teacher.folder) else hardware.precision
    answer: _Answers | None = None
    for start in range(0, len(texts), _CHUNK_TEXTS):
        chunk = texts[start : start + _CHUNK_TEXTS]
        named = msgspec.json.encode([teacher.sha256, teacher.max_tokens, precision, chunk])
        file = cache / f"{hashlib.sha256(named).hexdigest()}.npy"
        if file.is_file():
            parts.append(np.load(file))
            done(len(chunk))
            continue
        if answer is None:
            answer = _answers_of(teacher, labels, hardware=hardware, cache=cache)
        logits = answer(chunk, done)
        # Another training may ask the same teacher at the same time.
        unfinished = file.with_suffix(f".{os.getpid()}.unfinished")
        with unfinished.open("wb") as output:
            np.save(output, logits)
            output.flush()
            os.fsync(output.fileno())
        unfinished.rename(file)
        parts.append(logits)
    return np.concatenate(parts)


def _answers_of(
    teacher: Teacher, labels: Sequence[str], *, hardware: Hardware, cache: Path
) -> _Answers:
    if is_bundle(teacher.folder):
        return partial(_answers_of_engine, OnnxEngine(open_bundle(teacher.folder)))
    base = load_base(str(teacher.folder), labels, max_tokens=teacher.max_tokens, cache=cache)
    base.model.to(hardware.device)
    return lambda texts, done: logits_of(
        base.model, encode(base.tokenizer, texts), hardware, done=done
    )


def _answers_of_engine(
    engine: OnnxEngine, texts: Sequence[str], done: Callable[[int], None]
) -> npt.NDArray[np.float64]:
    """Return uncalibrated log-probabilities: the logits but for a constant of each text."""
    uncalibrated = engine.calibrated_with(1.0, 1.0)
    parts = []
    for start in range(0, len(texts), _ASKED_TEXTS):
        part = texts[start : start + _ASKED_TEXTS]
        parts.append(np.log(uncalibrated.probabilities(part)))
        done(len(part))
    return np.concatenate(parts)
