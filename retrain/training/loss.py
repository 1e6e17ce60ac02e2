"""What a step tries to lessen: the distance from people's labels and from teachers' answers."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retrain.training.batches import UNLABELLED
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
