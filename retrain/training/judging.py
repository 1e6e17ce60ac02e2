"""What is found of a trained model on texts that it has not learned."""

from dataclasses import dataclass

import numpy as np

from retrain.training.biases import fit_biases
from retrain.training.figures import Labels, Logits, figures
from retrain.training.recipe import Recipe


@dataclass(frozen=True)
class Judged:
    """Class biases and figures; the temperature where no later look can find it."""

    class_biases: tuple[float, ...]
    figures: dict[str, float]
    temperature: float | None = None


def judge(logits: Logits, truth: Labels, recipe: Recipe) -> Judged:
    """Return the figures of these logits, and where the recipe has biases those with them too."""
    found = figures(logits, truth)
    if not recipe.class_biases:
        return Judged((0.0,) * logits.shape[1], found)
    biases = fit_biases(logits, truth, recipe.objective)
    with_biases = figures(logits + np.array(biases), truth)
    named = {f"{name}_with_biases": value for name, value in with_biases.items()}
    return Judged(biases, found | named)
