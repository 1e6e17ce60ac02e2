"""What is asked of a training, and what makes it this one and no other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrain.base_models.loading import weights_sha256
from retrain.datasets.prepare_dataset import Prepared, Sources
from retrain.training.distillation import Teacher
from retrain.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """What is to be trained, from what, and where it is to lie."""

    sources: Sources
    base: str
    recipe: Recipe
    seed: int
    languages: tuple[str, ...]
    teachers: Sequence[Path]
    out: Path
    home: Path
    threads: int | None
    checkpoint_every_s: float

    @property
    def cache(self) -> Path:
        """Where fetched bases and teachers' logits are kept."""
        return self.home / "cache"


def description(
    spec: TrainingSpec, prepared: Prepared, teachers: Sequence[Teacher]
) -> dict[str, Any]:
    """Return what makes a training this one: killed, it goes on; finished, it is not repeated."""
    recipe = spec.recipe.as_parameters()
    if teachers:
        recipe["teachers"] = ",".join(teacher.sha256 for teacher in teachers)
    return {
        "labels": prepared.labels,
        "cleaning": spec.sources.cleaning,
        "languages": spec.languages,
        "max_tokens": spec.recipe.max_tokens,
        "seed": spec.seed,
        "recipe": recipe,
        "base": spec.base,
        "base_sha256": weights_sha256(spec.base),
        "data_sha256": prepared.sha256,
    }
