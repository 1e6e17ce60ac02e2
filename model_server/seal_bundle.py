"""Sealing a bundle: writing the manifest that vouches for a folder's files and answers."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from model_server.bundle import (
    CARD,
    MANIFEST,
    Bundle,
    Manifest,
    SelfTestCase,
    open_bundle,
    sha256_of,
)
from model_server.cleaning import CLEANING
from model_server.onnx_engine import OnnxEngine
from schemas.events import ModelIdentity

_UNSEALED = ModelIdentity(name="unsealed", version="0", sha256="0" * 64, cleaning="1")


def unsealed_engine(folder: Path, *, labels: tuple[str, ...], max_tokens: int) -> OnnxEngine:
    """Return an engine of model.onnx and tokenizer.json that no manifest vouches for yet.

    Its answers are uncalibrated. Raises `RefusedBundle` where the files do not load.
    """
    manifest = Manifest(
        name=_UNSEALED.name,
        version=_UNSEALED.version,
        labels=labels,
        cleaning=_UNSEALED.cleaning,
        languages=(),
        max_tokens=max_tokens,
        files={},
        self_test=(),
    )
    return OnnxEngine(Bundle(folder=folder, manifest=manifest, identity=_UNSEALED))


def seal_bundle(
    folder: Path,
    *,
    name: str,
    version: str,
    labels: tuple[str, ...],
    cleaning: str,
    languages: tuple[str, ...],
    max_tokens: int,
    temperature: float | tuple[float, ...],
    lead_power: float | tuple[float, ...] = 1.0,
    self_test_texts: Sequence[str],
    unsealed: OnnxEngine | None = None,
) -> Bundle:
    """Write `bundle.json` beside model.onnx and tokenizer.json, and return the opened bundle.

    It vouches for every file of the folder but a model card. The answers of the self-test are those
    that the files give here and now, or gave `unsealed`: the folder's `unsealed_engine`, where one
    is open already.
    """
    engine = unsealed or unsealed_engine(folder, labels=labels, max_tokens=max_tokens)
    answers = engine.calibrated_with(temperature, lead_power).probabilities(
        [CLEANING[cleaning](text) for text in self_test_texts]
    )
    sealed = Manifest(
        name=name,
        version=version,
        labels=labels,
        cleaning=cleaning,
        languages=languages,
        max_tokens=max_tokens,
        temperature=temperature,
        lead_power=lead_power,
        files={file.name: sha256_of(file) for file in _vouched_for(folder)},
        self_test=tuple(
            SelfTestCase(text=text, probabilities=tuple(round(float(p), 4) for p in row))
            for text, row in zip(self_test_texts, answers, strict=True)
        ),
    )
    content = msgspec.json.format(msgspec.json.encode(sealed), indent=1)
    (folder / MANIFEST).write_bytes(content + b"\n")
    return open_bundle(folder)


def _vouched_for(folder: Path) -> list[Path]:
    """Return the files, in order; weights may lie in a file of their own beside model.onnx."""
    unsealed = (MANIFEST, CARD)
    files = (file for file in folder.iterdir() if file.is_file())
    return sorted(file for file in files if file.name not in unsealed)
