"""What a step tries to lessen: the distance from people's labels and from teachers' answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from retrain.training.batches import UNLABELLED, Places, TrainingTexts, padded
from retrain.training.hardware import Hardware
from retrain.training.recipe import Recipe


def log_prior(labels: Tensor, number_of_labels: int, strength: float) -> Tensor:
    """Return `strength` times the log of each label's share of the labelled texts."""
    counts = torch.bincount(labels[labels != UNLABELLED], minlength=number_of_labels)
    return strength * torch.log(counts / counts.sum())


@dataclass(frozen=True)
class Loss:
    """Balanced softmax with smoothed labels (Ren et al. 2020; Szegedy et al. 2016), and where
    there are teachers the distillation of Hinton et al. (2015): the Kullback-Leibler divergence at
    a temperature T, times T². The prior is added to the logits of student and teacher alike.
    """

    recipe: Recipe
    prior: Tensor

    def __call__(self, logits: Tensor, labels: Tensor, teacher_logits: Tensor | None) -> Tensor:
        """Return the mean over the batch's texts; an unlabelled one adds only its divergence."""
        logits = logits.float() + self.prior
        summed = functional.cross_entropy(
            logits,
            labels,
            ignore_index=UNLABELLED,
            label_smoothing=self.recipe.label_smoothing,
            reduction="sum",
        )
        of_labels = summed / len(labels)
        if teacher_logits is None:
            return of_labels
        temperature = self.recipe.teacher_temperature
        divergence = functional.kl_div(
            functional.log_softmax(logits / temperature, dim=1),
            functional.log_softmax((teacher_logits + self.prior) / temperature, dim=1),
            log_target=True,
            reduction="batchmean",
        )
        weight = self.recipe.teacher_weight
        return weight * temperature**2 * divergence + (1 - weight) * of_labels


def without_some(tokens: Sequence[int], chance: float) -> Sequence[int]:
    """Return a text's word pieces without those that torch's generator leaves out.

    The first and the last, which mark its ends, stay.
    """
    if not chance:
        return tokens
    stays = (torch.rand(len(tokens)) >= chance).tolist()
    last = len(tokens) - 1
    return [token for place, token in enumerate(tokens) if stays[place] or place in (0, last)]


class LossOfTexts:
    """The loss of a model on texts, by their places."""

    def __init__(
        self, model: Any, texts: TrainingTexts, recipe: Recipe, hardware: Hardware
    ) -> None:
        self._model = model
        self._texts = texts
        self._hardware = hardware
        self._word_dropout = recipe.word_dropout
        labels = torch.from_numpy(texts.labels)
        prior = log_prior(labels, int(model.config.num_labels), recipe.prior_strength)
        self._loss = Loss(recipe, prior.to(hardware.device))

    def __call__(self, places: Places) -> Tensor:
        """Return the mean over the texts at these places."""
        tokens = [without_some(self._texts.tokens[place], self._word_dropout) for place in places]
        device = self._hardware.device
        input_ids, mask = padded(tokens, self._model.config.pad_token_id, device)
        labels = torch.from_numpy(self._texts.labels[places]).to(device)
        of_teachers = self._texts.teacher_logits
        taught = None if of_teachers is None else torch.from_numpy(of_teachers[places]).to(device)
        with self._hardware.autocast():
            logits = self._model(input_ids=input_ids, attention_mask=mask).logits
        return self._loss(logits, labels, taught)
