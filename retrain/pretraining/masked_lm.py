"""A DistilBERT that guesses hidden words, how wrong it is, and how often right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from retrain.pretraining.masking import hide_words
from retrain.training.batches import Places, padded
from retrain.training.hardware import Hardware
from schemas.failures import Failure

_SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_MASK: Final = "[MASK]"
_BATCH_TEXTS: Final = 64


def guesser_of(model: Any) -> Any:
    """Return a DistilBertForMaskedLM around a classifier's own layers, which stay shared.

    Its guesses are compared with the word embeddings; a new layer leads there. Raises `Failure`
    for another architecture.
    """
    from transformers import DistilBertForMaskedLM

    if model.config.model_type != "distilbert":
        raise Failure(
            f"hidden words are guessed by a DistilBERT, not by a {model.config.model_type}"
        )
    guesser = DistilBertForMaskedLM(model.config)
    guesser.distilbert = model.distilbert
    guesser.tie_weights()
    return guesser


@dataclass(frozen=True)
class Vocabulary:
    """What stands for a hidden word, and what is no word."""

    mask_id: int
    never_hidden: Tensor

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Vocabulary":
        """Ask a tokenizer; raise `Failure` where it has no mask."""
        mask_id = tokenizer.token_to_id(_MASK)
        if mask_id is None:
            raise Failure(f"this base's tokenizer has no {_MASK}: it cannot be pretrained here")
        found = [tokenizer.token_to_id(name) for name in _SPECIAL]
        return cls(mask_id, torch.tensor([number for number in found if number is not None]))


@dataclass(frozen=True)
class Guessing:
    """A guesser and the word pieces of the texts whose words it guesses."""

    guesser: Any
    tokens: Sequence[Sequence[int]]
    vocabulary: "Vocabulary"
    hardware: Hardware

    def loss(self, places: Places) -> Tensor:
        """Return the mean loss over the hidden words of the texts at these places."""
        logits, truth = self._guesses(places, torch.default_generator)
        return functional.cross_entropy(logits.float(), truth, reduction="sum") / max(1, len(truth))

    def figures(self) -> dict[str, float]:
        """Return the mean loss and the share of right guesses, the same words hidden each time."""
        self.guesser.eval()
        random = torch.Generator().manual_seed(0)
        loss, right, words = 0.0, 0, 0
        order = np.argsort([len(ids) for ids in self.tokens], kind="stable")
        for start in range(0, len(order), _BATCH_TEXTS):
            with torch.inference_mode():
                logits, truth = self._guesses(order[start : start + _BATCH_TEXTS], random)
                loss += float(functional.cross_entropy(logits.float(), truth, reduction="sum"))
                right += int((logits.argmax(dim=1) == truth).sum())
            words += len(truth)
        return {"masked_loss": loss / max(1, words), "masked_accuracy": right / max(1, words)}

    def _guesses(self, places: Places, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the logits for each hidden word, and which it was. Only there the vocabulary is
        compared with: everywhere it would cost more than all layers."""
        config = self.guesser.config
        ids, attention = padded(
            [self.tokens[place] for place in places], config.pad_token_id, torch.device("cpu")
        )
        shown, hidden = hide_words(
            ids,
            ~torch.isin(ids, self.vocabulary.never_hidden),
            mask_id=self.vocabulary.mask_id,
            words=config.vocab_size,
            random=random,
        )
        device = self.hardware.device
        truth, hidden = ids[hidden].to(device), hidden.to(device)
        with self.hardware.autocast():
            states = self.guesser.distilbert(shown.to(device), attention.to(device))[0][hidden]
            states = self.guesser.activation(self.guesser.vocab_transform(states))
            logits = self.guesser.vocab_projector(self.guesser.vocab_layer_norm(states))
        return logits, truth
