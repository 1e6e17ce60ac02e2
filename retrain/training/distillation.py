"""What teachers say of texts: the mean of their logits, computed once and kept."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from model_server.bundle import sha256_of
from retrain.base_models.loading import load_base
from retrain.trained_model import TrainedRefused, read_trained
from retrain.training.batches import encode
from retrain.training.hardware import Hardware
from retrain.training.inference import logits_of

_CHUNK_TEXTS: Final = 2048
"""Texts whose logits are one file: what a killed process has to compute again at most."""


@dataclass(frozen=True)
class Teacher:
    """A trained model that answers for others to learn from."""

    folder: Path
    sha256: str
    max_tokens: int


def open_teacher(folder: Path, labels: Sequence[str], cleaning: str) -> Teacher:
    """Check that a trained model has these labels and this cleaning; raise `TrainedRefused`."""
    trained = read_trained(folder)
    if trained.labels != tuple(labels):
        raise TrainedRefused(f"{folder} teaches {trained.labels}, the texts have {tuple(labels)}")
    if trained.cleaning != cleaning:
        raise TrainedRefused(f"{folder} was trained with cleaning {trained.cleaning!r}")
    return Teacher(folder, sha256_of(folder / "model.safetensors"), trained.max_tokens)


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
    base = None
    for start in range(0, len(texts), _CHUNK_TEXTS):
        chunk = texts[start : start + _CHUNK_TEXTS]
        named = msgspec.json.encode([teacher.sha256, teacher.max_tokens, hardware.precision, chunk])
        file = cache / f"{hashlib.sha256(named).hexdigest()}.npy"
        if file.is_file():
            parts.append(np.load(file))
            done(len(chunk))
            continue
        if base is None:
            base = load_base(
                str(teacher.folder), labels, max_tokens=teacher.max_tokens, cache=cache
            )
            base.model.to(hardware.device)
        logits = logits_of(base.model, encode(base.tokenizer, chunk), hardware, done=done)
        # Another training may ask the same teacher at the same time.
        unfinished = file.with_suffix(f".{os.getpid()}.unfinished")
        with unfinished.open("wb") as output:
            np.save(output, logits)
            output.flush()
            os.fsync(output.fileno())
        unfinished.rename(file)
        parts.append(logits)
    return np.concatenate(parts)
