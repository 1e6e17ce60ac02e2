"""What is searched: the few figures of the recipe that move a small model's quality most."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from retrain.training.recipe import Recipe

LEARNING_RATE: Final = (1e-5, 4e-4)
EPOCHS: Final = (1, 4)
LABEL_SMOOTHING: Final = (0.0, 0.15)
PRIOR_STRENGTH: Final = (0.0, 1.5)
WORD_DROPOUT: Final = (0.0, 0.2)
SEARCHED: Final = (
    "learning_rate",
    "epochs",
    "label_smoothing",
    "prior_strength",
    "word_dropout",
)


class Suggests(Protocol):
    """Draws figures within bounds, as a trial of optuna does."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number; with `log` each factor is as likely as another."""
        ...

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return a whole number; both bounds may come."""
        ...


def suggested(trial: Suggests, recipe: Recipe, fixed: Collection[str]) -> Recipe:
    """Return the recipe with drawn figures in place of those that nobody has `fixed`."""
    drawn: dict[str, Any] = {}
    for name in SEARCHED:
        if name in fixed:
            continue
        if name == "epochs":
            drawn[name] = trial.suggest_int(name, *EPOCHS)
        elif name == "learning_rate":
            drawn[name] = trial.suggest_float(name, *LEARNING_RATE, log=True)
        else:
            drawn[name] = trial.suggest_float(name, *_BOUNDS[name])
    return replace(recipe, **{name: _rounded(value) for name, value in drawn.items()})


def first_tried(recipe: Recipe, fixed: Collection[str]) -> dict[str, Any]:
    """Return the recipe's own figures, so that what is found is never worse than them."""
    return {name: getattr(recipe, name) for name in SEARCHED if name not in fixed}


def as_options(recipe: Recipe, fixed: Collection[str]) -> list[str]:
    """Return the searched figures as options of `murmur model train`."""
    options = []
    for name in SEARCHED:
        if name not in fixed:
            options += [f"--{name.replace('_', '-')}", str(getattr(recipe, name))]
    return options


def _rounded(value: float) -> Any:
    """Return what an option repeats to the last digit."""
    return value if isinstance(value, int) else float(f"{value:.3g}")


_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "label_smoothing": LABEL_SMOOTHING,
    "prior_strength": PRIOR_STRENGTH,
    "word_dropout": WORD_DROPOUT,
}
