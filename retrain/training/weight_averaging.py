"""Weights averaged over the steps: they swing less than the last step's and score higher."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

Weights = dict[str, Tensor]


def copied(weights: Mapping[str, Tensor]) -> Weights:
    """Return copies that no later step changes."""
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


def put(weights: Mapping[str, Tensor], into: Mapping[str, Tensor]) -> None:
    """Overwrite a model's weights in place."""
    with torch.no_grad():
        for name, tensor in into.items():
            tensor.copy_(weights[name])


class AveragedWeights:
    """An exponential moving average of a model's weights.

    Of the average, `decay` stays at each step, but no more than (1 + n) / (10 + n) at step n, so
    that the first weights are soon forgotten. With a decay of 0 it is the weights themselves.
    """

    def __init__(self, weights: Mapping[str, Tensor], decay: float) -> None:
        self._decay = decay
        self.weights = copied(weights)
        self.steps = 0

    def update(self, weights: Mapping[str, Tensor]) -> None:
        """Take a step's weights in."""
        self.steps += 1
        stays = min(self._decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for name, average in self.weights.items():
                average.lerp_(weights[name], 1 - stays)

    @contextmanager
    def in_place_of(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """Put the average into the model for a while."""
        own = copied(weights)
        put(self.weights, weights)
        try:
            yield
        finally:
            put(own, weights)
