"""The recipe: every figure of a training, with its unit. Each is an option of `model train`."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

Precision = Literal["auto", "bf16", "fp32"]
Objective = Literal["macro_recall", "macro_f1"]

QUICK_TEXTS: Final = 1200
"""Texts that `--quick` passes over, for tests and first tries: in less than a minute."""

_OF_FEW_STEPS: Final = MappingProxyType[str, Any](
    {"learning_rate": 2e-4, "averaging_decay": 0.9, "evaluations_per_epoch": 1}
)
"""With the figures of long trainings a model of 38 steps is so unsure that int8 changes 13 of 100
labels; with these it changes 2."""

OF_PRETRAINING: Final = (
    "epochs",
    "batch_texts",
    "max_tokens",
    "learning_rate",
    "warm_up_share",
    "weight_decay",
    "gradient_norm",
    "averaging_decay",
    "evaluations_per_epoch",
    "patience",
    "precision",
)
"""What of the recipe a pretraining has a use for."""


def _figure(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What training does with the texts. The seed, the base and the data are not part of it.

    Balanced softmax: Ren et al. 2020. Distillation: Hinton et al. 2015. LoRA: Hu et al. 2021.
    """

    epochs: int = _figure(2, "Passes over the training texts, labelled and unlabelled.")
    batch_texts: int = _figure(64, "Texts per step.")
    max_tokens: int = _figure(96, "Word pieces that are read of each text, at most.")
    learning_rate: float = _figure(
        8e-5,
        "Highest learning rate of AdamW. It rises linearly during the warm-up, then falls to 0.",
    )
    warm_up_share: float = _figure(0.1, "Length of the warm-up, as a share of all steps.")
    weight_decay: float = _figure(0.01, "Weight decay of AdamW. Biases and layer norms have none.")
    gradient_norm: float = _figure(1.0, "Gradients longer than this are shortened to it.")
    prior_strength: float = _figure(
        1.0,
        "In training, this times the log of a label's share is added to its logit. 1 is balanced "
        "softmax, which weighs all labels alike. 0 is plain cross-entropy.",
    )
    label_smoothing: float = _figure(0.05, "Share of the target that is spread over all labels.")
    averaging_decay: float = _figure(
        0.998,
        "Share of the averaged weights that stays at each step; lower in the first steps. The "
        "averaged weights are what is evaluated and kept. 0: no averaging.",
    )
    evaluations_per_epoch: int = _figure(
        2, "How often the validation split is scored; the best state is kept."
    )
    objective: Objective = field(
        default="macro_recall",
        metadata={"meaning": "By which figure the best state and the class biases are chosen."},
    )
    patience: int = _figure(4, "Stop after this many evaluations without a better one. 0: never.")
    class_biases: bool = _figure(True, "Fit biases of the labels on the validation split.")
    teacher_weight: float = _figure(
        0.8, "Weight of the teachers' answers in the loss. The labels have the rest, up to 1."
    )
    teacher_temperature: float = _figure(
        2.0, "Divides the logits of teacher and student before they are compared."
    )
    word_dropout: float = _figure(
        0.1,
        "Chance that a word piece is left out of a text at a step. Teachers see the whole text.",
    )
    layers: int = _figure(
        0,
        "Layers of the model. They start as those of the base, spread evenly. More layers cost "
        "more per text and learn more. 0: as many as the base has.",
    )
    feed_forward: int = _figure(
        0,
        "Neurons of each layer's feed-forward part, fewer than the base has: those of the largest "
        "weights stay. 0: as many as the base has.",
    )
    lora_rank: int = _figure(
        0, "Rank of LoRA adapters that are trained instead of the weights. 0: none."
    )
    precision: Precision = field(
        default="auto",
        metadata={
            "meaning": "Number format. bf16 uses autocast; auto is bf16 where it is supported."
        },
    )

    def as_parameters(self) -> dict[str, str | int | float | bool]:
        """Return it as `trained.json` and MLflow hold it."""
        return asdict(self)


def quick(recipe: Recipe, texts: int, chosen: Collection[str]) -> Recipe:
    """Return the recipe cut down to what ends within three minutes on two cores.

    Of epochs it has as many as make `QUICK_TEXTS` of so many `texts`, or one. Figures that were
    `chosen` stay, unless they would take longer.
    """
    longest: dict[str, Any] = {
        "epochs": max(1, QUICK_TEXTS // texts),
        "batch_texts": 32,
        "max_tokens": 48,
    }
    cut = {
        name: min(getattr(recipe, name), most) if name in chosen else most
        for name, most in longest.items()
    }
    bold = {name: value for name, value in _OF_FEW_STEPS.items() if name not in chosen}
    return replace(recipe, **cut, **bold)
