"""The figures of validation texts that a bundle brings, for what watches the streams it scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from model_server.bundle import REFERENCE, open_bundle
from model_server.cleaning import CLEANING
from model_server.onnx_engine import OnnxEngine, Probabilities
from retrain.drift.first_reference import count_validation, encode_validation
from retrain.drift.watch.word_pieces import PieceCounter
from retrain.drift.window import WindowCounts
from retrain.evaluation.predictions import probabilities_of
from schemas.atomic_folder import unfinished_beside
from schemas.failures import Failure

LEAST_TEXTS: Final = 200
"""Of fewer, nobody knows the shares to five points."""


class AddedFigures(Struct, frozen=True, kw_only=True):
    """What was added to a bundle, whose hash is what it was."""

    bundle: str
    sha256: str
    counts: WindowCounts


def figures_of_cleaned(
    folder: Path,
    labels: Sequence[str],
    max_tokens: int,
    cleaning: str,
    texts: Sequence[str],
    answers: Probabilities,
) -> WindowCounts:
    """Return the figures of cleaned texts, of which `answers` has the calibrated probabilities.

    `folder` has the tokenizer.
    """
    counter = PieceCounter(folder, max_tokens=max_tokens, cleaning=cleaning)
    return count_validation(labels, answers, map(counter.count_cleaned, texts))


def add_figures(folder: Path, texts: Sequence[str]) -> AddedFigures:
    """Put the figures of validation texts beside the files of a sealed bundle.

    The bundle stays the model that it was: its hash does not change. Figures that were added before
    are replaced. Raises `Failure` where its manifest vouches for figures already, and for fewer
    than `LEAST_TEXTS` texts.
    """
    bundle = open_bundle(folder)
    if REFERENCE in bundle.manifest.files:
        raise Failure(f"{folder} was exported with the figures of its validation texts")
    manifest = bundle.manifest
    distinct = dict.fromkeys(CLEANING[manifest.cleaning](text) for text in texts)
    cleaned = [text for text in distinct if text]
    if len(cleaned) < LEAST_TEXTS:
        raise Failure(f"{len(cleaned)} distinct texts are too few: {LEAST_TEXTS} are needed")
    counts = figures_of_cleaned(
        folder,
        manifest.labels,
        manifest.max_tokens,
        manifest.cleaning,
        cleaned,
        probabilities_of(OnnxEngine(bundle), cleaned),
    )
    with unfinished_beside(folder / REFERENCE) as work:
        written = work / REFERENCE
        written.write_bytes(encode_validation(counts, bundle.identity.sha256))
        written.replace(folder / REFERENCE)
    return AddedFigures(bundle=str(folder), sha256=bundle.identity.sha256, counts=counts)
