"""A training once more, with its validation texts: the newest ones, a tenth of all.

They judge it no longer, so what was found on them is taken from the training without them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax
from tokenizers import Tokenizer

from model_server.bundle import sha256_of
from retrain.evaluation.answers import truth_of
from retrain.export.onnx_model import load_torch
from retrain.export.temperature import best_temperature
from retrain.trained import TOKENIZER, Trained, TrainedRefused, read_trained, read_validation
from retrain.training.batches import encode
from retrain.training.hardware import Hardware
from retrain.training.inference import Done, logits_of
from retrain.training.judging import Judged


@dataclass(frozen=True)
class HeldOut:
    """The finished training that held its validation texts out."""

    folder: Path
    trained: Trained
    sha256: str

    def judged(self, hardware: Hardware, done: Done) -> Judged:
        """Return what it found, with its temperature on the validation texts in fp32."""
        rows = read_validation(self.folder)
        tokenizer = Tokenizer.from_file(str(self.folder / TOKENIZER))
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length=self.trained.max_tokens)
        tokens = encode(tokenizer, [row.text for row in rows])
        model = load_torch(self.folder).to(hardware.device)
        logits = logits_of(model, tokens, hardware.exact, done=done)
        biases = self.trained.class_biases
        truth = truth_of(self.trained.labels, [row.label for row in rows])
        temperature = best_temperature(softmax(logits + np.array(biases), axis=1), truth)
        return Judged(biases, self.trained.figures, temperature)


def open_held_out(folder: Path, described: Mapping[str, Any], kept_out_sha256: str) -> HeldOut:
    """Open the training that is to be repeated.

    Raises `TrainedRefused` where it differs in more than what becomes of the validation texts.
    """
    trained = read_trained(folder)
    if trained.refit_of is not None:
        raise TrainedRefused(f"{folder} has learned its validation texts already")
    differing = [name for name in described if getattr(trained, name) != described[name]]
    if trained.data is None or trained.data.kept_out_sha256 != kept_out_sha256:
        differing.append("texts kept out")
    if differing:
        raise TrainedRefused(f"{folder} is another training: {', '.join(differing)} differ")
    return HeldOut(folder, trained, sha256_of(folder / "model.safetensors"))
